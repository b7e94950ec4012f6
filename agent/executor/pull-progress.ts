/** What one layer has of its bytes. */
interface Layer {
  readonly done: boolean;
  readonly current: number;
  readonly total: number;
}

/** The layers of an image that is being pulled, by their short ids. */
export type PullProgress = ReadonlyMap<string, Layer>;

/** Takes a line of the Engine's pull stream in: `{status, id?, progressDetail?: {current, total}}`. */
export function withLine(progress: PullProgress, message: unknown): PullProgress {
  const id = text(message, 'id');
  const status = text(message, 'status');
  // The line that names the tag has the tag as its id.
  if (id === '' || status.startsWith('Pulling from')) return progress;
  const before = progress.get(id) ?? { done: false, current: 0, total: 0 };
  const detail = field(message, 'progressDetail');
  const counts = status === 'Downloading' ? { current: count(detail, 'current'), total: count(detail, 'total') } : {};
  const downloaded = status === 'Download complete' ? { current: before.total } : {};
  const done = status === 'Pull complete' || status === 'Already exists';
  return new Map(progress).set(id, { ...before, ...counts, ...downloaded, done });
}

/** E.g. `2 of 5 layers, 12.3 of 45.0 MB`; undefined before the first layer is known. */
export function describeProgress(progress: PullProgress): string | undefined {
  const layers = [...progress.values()];
  if (layers.length === 0) return undefined;
  const sum = (of: (layer: Layer) => number): number => layers.reduce((all, layer) => all + of(layer), 0);
  const total = sum((layer) => layer.total);
  const bytes = total === 0 ? '' : `, ${megabytes(sum(({ current }) => current))} of ${megabytes(total)} MB`;
  return `${layers.filter(({ done }) => done).length} of ${layers.length} layers${bytes}`;
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

function field(message: unknown, name: string): unknown {
  return typeof message === 'object' && message !== null ? Reflect.get(message, name) : undefined;
}

/** A field of a line of the stream as text; empty when it has none. */
export function text(message: unknown, name: string): string {
  const value = field(message, name);
  return typeof value === 'string' ? value : '';
}

const count = (message: unknown, name: string): number => {
  const value = field(message, name);
  return typeof value === 'number' ? value : 0;
};
