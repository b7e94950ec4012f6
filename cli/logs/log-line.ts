import { BaleError } from '../../core/errors.js';

const PREFIX = 'com.docker.swarm.';
const SPACE = 0x20;

/** Whose line it is, by ids. */
export interface LineContext {
  readonly nodeId: string;
  readonly serviceId: string;
  readonly taskId: string;
}

export interface LogLine {
  /** Empty unless asked for. */
  readonly timestamp: string;
  readonly context: LineContext;
  /** What the log driver added, `key=value`, sorted. */
  readonly details: readonly string[];
  /** With its line end. */
  readonly text: Buffer;
}

/** Reads `[TIMESTAMP ]DETAILS TEXT`, as the daemon sends it with `details=1`. */
export function readLine(payload: Buffer, withTimestamp: boolean): LogLine {
  const first = payload.indexOf(SPACE);
  const second = withTimestamp ? payload.indexOf(SPACE, first + 1) : first;
  if (first < 0 || second < 0) throw invalidContext(payload);
  const words = payload.toString('utf8', 0, second).split(' ');
  const pairs = new Map((words[withTimestamp ? 1 : 0] ?? '').split(',').map(pairOf));
  const take = (key: string): string => {
    const value = pairs.get(PREFIX + key);
    pairs.delete(PREFIX + key);
    if (value === undefined) throw invalidContext(payload);
    return value;
  };
  const context = { nodeId: take('node.id'), serviceId: take('service.id'), taskId: take('task.id') };
  return {
    timestamp: withTimestamp ? (words[0] ?? '') : '',
    context,
    details: [...pairs].map(([key, value]) => `${key}=${value}`).sort(),
    text: payload.subarray(second + 1),
  };
}

/** As docker prints it: `[TIMESTAMP ]NAME    | [DETAILS ]TEXT`. */
export function showLine(line: LogLine, name: string, withDetails: boolean): Buffer {
  const time = line.timestamp === '' ? '' : `${line.timestamp} `;
  const details = withDetails ? `${line.details.join(',')} ` : '';
  return Buffer.concat([Buffer.from(`${time}${name}    | ${details}`), line.text]);
}

function pairOf(text: string): [key: string, value: string] {
  const [key = '', ...value] = text.split('=');
  return [unescape(key), unescape(value.join('='))];
}

/** As an URL's query is escaped. */
function unescape(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

const invalidContext = (payload: Buffer): BaleError =>
  new BaleError(`invalid context in log message: ${payload.toString('utf8', 0, 200)}`, {
    kind: 'internal',
    code: 'BALE_DAEMON_ERROR',
  });
