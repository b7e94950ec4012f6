import type { LogOptions } from './log-options.js';
import type { LogMessage } from './log-parser.js';

/** Whose log a line is of. */
export interface LogContext {
  readonly nodeId: string;
  readonly serviceId: string;
  readonly taskId: string;
}

const PREFIX = 'com.docker.swarm.';
const HEADER = 8;
const KINDS = { stdout: 1, stderr: 2, system: 3 } as const;

/** How clients get lines: multiplexed in frames of 8 header bytes, or raw when the service has a terminal. */
export interface LogForm {
  readonly multiplexed: boolean;
  readonly options: Pick<LogOptions, 'timestamps' | 'details'>;
}

/** One message as a client gets it. */
export function formatMessage(message: LogMessage, context: LogContext, form: LogForm): Buffer {
  const { timestamps, details } = form.options;
  const time = timestamps ? `${message.timestamp} ` : '';
  const prefix = time + (details ? `${detailsText(message.details, context)} ` : '');
  return framed(message.stream, prefix, message.line, form.multiplexed);
}

/** An error of ours within a log. Clients of the Engine end with it when it is multiplexed. */
export const formatFailure = (reasons: readonly string[], form: LogForm): Buffer =>
  framed(
    'system',
    'Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream. some logs could not be ' +
      `retrieved for the following reasons: ${reasons.join(', ')}\n`,
    Buffer.alloc(0),
    form.multiplexed,
  );

function framed(kind: keyof typeof KINDS, prefix: string, line: Buffer, multiplexed: boolean): Buffer {
  const start = multiplexed ? HEADER : 0;
  const length = Buffer.byteLength(prefix) + line.length;
  const frame = Buffer.allocUnsafe(start + length);
  if (multiplexed) {
    frame.writeUInt32BE(KINDS[kind] << 24, 0);
    frame.writeUInt32BE(length, 4);
  }
  const written = prefix === '' ? 0 : frame.write(prefix, start);
  line.copy(frame, start + written);
  return frame;
}

/** What the log driver added and whose line it is, sorted by key. We have the last word on the latter. */
function detailsText(details: string, { nodeId, serviceId, taskId }: LogContext): string {
  const ours = [`${PREFIX}node.id=${nodeId}`, `${PREFIX}service.id=${serviceId}`, `${PREFIX}task.id=${taskId}`];
  if (details === '') return ours.join(',');
  const keys = new Set(ours.map(keyOf));
  const theirs = details.split(',').filter((pair) => !keys.has(keyOf(pair)));
  return [...theirs, ...ours].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).join(',');
}

const keyOf = (pair: string): string => pair.slice(0, pair.indexOf('='));
