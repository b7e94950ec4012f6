import type { IncomingMessage } from 'node:http';

/** The most that one head may take, URL included: dockerode puts whole bodies into the query string. */
export const HEADER_LIMIT = 1024 * 1024;

/** Headers that speak of one connection, not of the message. */
const HOP_HEADERS: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'proxy-connection']);

/** Raw headers (name, value, name, value…) without those of the connection they came over. */
export function withoutHopHeaders(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name, value] = [raw[index] ?? '', raw[index + 1] ?? ''];
    if (!HOP_HEADERS.has(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}

/**
 * The request's headers for the Engine: spelling, order and repetitions as they came. The connection is
 * kept alive so that we are the side that ends it: an Engine that closed it behind an early answer
 * would fail our last write, and the answer would be lost with it.
 */
export const engineHeaders = (incoming: IncomingMessage): string[] => [
  ...withLength(incoming, withoutHopHeaders(incoming.rawHeaders)),
  'Connection',
  'keep-alive',
];

/** Whether the request announces no body: there is nothing to wait for before it is complete. */
export const isBodiless = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? '0') === 0;

/** The same for an upgrade, whose `Connection` header is part of the message. */
export const engineUpgradeHeaders = (incoming: IncomingMessage): string[] =>
  withLength(incoming, [...incoming.rawHeaders]);

/** The same for an upgrade whose body was read whole. */
export function framedUpgradeHeaders(incoming: IncomingMessage, bodyLength: number): string[] {
  const kept: string[] = [];
  const raw = incoming.rawHeaders;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name, value] = [raw[index] ?? '', raw[index + 1] ?? ''];
    if (!/^(content-length|transfer-encoding|trailer)$/i.test(name)) kept.push(name, value);
  }
  return [...kept, 'Content-Length', String(bodyLength)];
}

/** Says "no body" in words where silence means it; Node would announce a chunked one. */
function withLength(incoming: IncomingMessage, headers: string[]): string[] {
  const silent =
    incoming.headers['content-length'] === undefined && incoming.headers['transfer-encoding'] === undefined;
  const bodiless = incoming.method === 'GET' || incoming.method === 'HEAD';
  return silent && !bodiless ? [...headers, 'Content-Length', '0'] : headers;
}
