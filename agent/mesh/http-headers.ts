import { plainAddress } from './ip-bytes.js';

/**
 * Headers at a hop of HTTP/1. Names are lower case, as node:http gives them. All functions are of
 * plain data; those for requests change the document they are given, since one is made per request.
 */

/** Headers that speak to the next hop alone (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** What a client may not have removed by naming it in Connection: without its framing a body would become requests. */
const END_TO_END = new Set(['host', 'content-length', 'transfer-encoding']);

export type RequestHeaders = Record<string, string | string[] | undefined>;

export interface ForwardedFrom {
  readonly clientAddress: string;
  readonly publishedPort: number;
}

/**
 * Makes a client's headers those of the request to the endpoint: what was meant for this hop goes,
 * and what tells of the client is set afresh, since a client could have written anything there.
 * `transfer-encoding` stays: it says that a body follows.
 */
export function forwardRequestHeaders(headers: RequestHeaders, from: ForwardedFrom): void {
  const { connection } = headers;
  if (typeof connection === 'string') {
    for (const name of connectionNames(connection)) {
      if (!END_TO_END.has(name)) Reflect.deleteProperty(headers, name);
    }
    delete headers.connection;
  }
  delete headers['keep-alive'];
  delete headers['proxy-connection'];
  delete headers.upgrade;
  delete headers['http2-settings'];
  headers['x-forwarded-for'] = plainAddress(from.clientAddress);
  headers['x-forwarded-proto'] = 'http';
  headers['x-forwarded-port'] = String(from.publishedPort);
  if (headers.host === undefined) delete headers['x-forwarded-host'];
  else headers['x-forwarded-host'] = headers.host;
}

/**
 * The headers of an endpoint's answer as they go to the client: flat list of names and values, names
 * spelled as they came. Framing is made anew, since the client may speak another version of HTTP/1.
 */
export function forwardResponseHeaders(raw: readonly string[]): string[] {
  let named: readonly string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    if (raw[index]?.toLowerCase() === 'connection') named = [...named, ...connectionNames(raw[index + 1] ?? '')];
  }
  const forwarded: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? '';
    const lower = name.toLowerCase();
    if (!HOP_BY_HOP.has(lower) && !named.includes(lower)) forwarded.push(name, raw[index + 1] ?? '');
  }
  return forwarded;
}

/** A coding of the body that is not plain chunks could not be undone here. */
export const isForeignCoding = (transferEncoding: string | undefined): boolean =>
  transferEncoding !== undefined && transferEncoding.toLowerCase() !== 'chunked';

/** An upgrade to HTTP/2 without TLS is only an offer, and one that no proxy passes on: the request itself is answered. */
export const isHttp2Offer = (upgrade: string | undefined): boolean =>
  upgrade?.split(',').every((name) => name.trim().toLowerCase() === 'h2c') ?? false;

const connectionNames = (connection: string): readonly string[] =>
  connection === 'keep-alive' || connection === 'close'
    ? []
    : connection.split(',').map((name) => name.trim().toLowerCase());

/** The head of a request with its offer of HTTP/2 left out, as bytes. */
export function requestWithoutOffer(request: {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly rawHeaders: readonly string[];
}): Buffer {
  const lines = [`${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/1.1`];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? '';
    if (!['connection', 'upgrade', 'http2-settings'].includes(name.toLowerCase())) {
      lines.push(`${name}: ${request.rawHeaders[index + 1] ?? ''}`);
    }
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
