import type { LogOptions } from './log-options.js';

/** Whose log a line is of. */
export interface LogContext {
  readonly nodeId: string;
  readonly serviceId: string;
  readonly taskId: string;
}

const PREFIX = 'com.docker.swarm.';
/** Bytes before each frame: its kind, and its length as the last four. */
export const HEADER = 8;
export const KINDS = { stdout: 1, stderr: 2, system: 3 } as const;

/** How clients get lines: multiplexed in frames of 8 header bytes, or raw when the service has a terminal. */
export interface LogForm {
  readonly multiplexed: boolean;
  readonly options: Pick<LogOptions, 'timestamps' | 'details'>;
}

/** An error of ours within a log. Clients of the Engine end with it when it is multiplexed. */
export function formatFailure(reasons: readonly string[], { multiplexed }: LogForm): Buffer {
  const text = Buffer.from(
    'Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream. some logs could not be ' +
      `retrieved for the following reasons: ${reasons.join(', ')}\n`,
  );
  if (!multiplexed) return text;
  const header = Buffer.alloc(HEADER);
  header[0] = KINDS.system;
  header.writeUInt32BE(text.length, 4);
  return Buffer.concat([header, text]);
}

/** What the log driver added and whose line it is, sorted by key. We have the last word on the latter. */
export function detailsText(details: string, { nodeId, serviceId, taskId }: LogContext): string {
  const ours = [`${PREFIX}node.id=${nodeId}`, `${PREFIX}service.id=${serviceId}`, `${PREFIX}task.id=${taskId}`];
  if (details === '') return ours.join(',');
  const keys = new Set(ours.map(keyOf));
  const theirs = details.split(',').filter((pair) => !keys.has(keyOf(pair)));
  return [...theirs, ...ours].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).join(',');
}

const keyOf = (pair: string): string => pair.slice(0, pair.indexOf('='));
