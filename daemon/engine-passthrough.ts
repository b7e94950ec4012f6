import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import type { Logger } from '../core/logger.js';
import { errorMessage } from '../core/errors.js';
import { engineHeaders, HEADER_LIMIT, isBodiless, withoutHopHeaders } from './engine-headers.js';
import { errorAnswer } from './error-answer.js';
import type { Upstream } from './upstream.js';

export interface PassthroughOptions {
  readonly upstream: Upstream;
  readonly logger: Logger;
}

/** A request for the Engine, as it arrived. `body` stands for bytes already read from it. */
export interface PassthroughRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body?: Buffer;
  /** The client sent `Expect: 100-continue` and waits: the Engine decides. */
  readonly expectsContinue?: boolean;
  /** Instead of the URL of the request. */
  readonly url?: string;
  /** Changes a JSON answer, which is read whole for it. */
  readonly rewrite?: (body: string) => string;
}

/**
 * Hands one request to the Engine and its answer back: method, URL, headers, bodies and trailers as
 * they are, both ways streamed with back-pressure and without any timeout. Whichever side goes away,
 * the other is told by closing its connection.
 * Each request has a connection of its own.
 */
export function passToEngine(call: PassthroughRequest, options: PassthroughOptions): void {
  const { request: incoming, response } = call;
  const outgoing = request({
    ...options.upstream.connection,
    method: incoming.method,
    path: call.url ?? incoming.url,
    headers: engineHeaders(incoming),
    maxHeaderSize: HEADER_LIMIT,
  });
  outgoing.on('continue', () => {
    if (call.expectsContinue === true) response.writeContinue();
  });
  outgoing.on('information', ({ statusCode, headers }) => {
    if (statusCode === 103) response.writeEarlyHints(onlyTexts(headers));
  });
  outgoing.on('response', (answer) => {
    if (call.rewrite !== undefined && isDocument(answer)) sendRewritten(answer, response, call.rewrite);
    else sendAnswer(answer, response);
  });
  outgoing.on('error', (error) => {
    giveUp(incoming, response, error, options);
  });
  response.on('close', () => {
    // Done, or the client has gone: either way nobody waits for the Engine any more.
    outgoing.destroy();
  });
  sendBody(call, outgoing);
}

function sendBody({ request: incoming, body }: PassthroughRequest, outgoing: ClientRequest): void {
  if (body !== undefined) {
    outgoing.end(body);
    return;
  }
  if (isBodiless(incoming)) {
    outgoing.end();
    return;
  }
  // The head goes ahead of the body: the Engine may answer before the first byte of it.
  outgoing.flushHeaders();
  incoming.on('end', () => {
    if (incoming.rawTrailers.length > 0) outgoing.addTrailers(pairs(incoming.rawTrailers));
    outgoing.end();
  });
  incoming.on('close', () => {
    if (!incoming.complete) outgoing.destroy();
  });
  incoming.pipe(outgoing, { end: false });
}

function sendAnswer(answer: IncomingMessage, response: ServerResponse): void {
  const framed = answer.headers['content-length'] !== undefined || answer.headers['transfer-encoding'] !== undefined;
  // An answer that ends with its connection (raw streams of old clients) must end so for the client too.
  if (!framed) response.useChunkedEncodingByDefault = false;
  response.sendDate = false;
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, withoutHopHeaders(answer.rawHeaders));
  // `wait`, `events` and `logs -f` answer with their head at once and the body much later.
  response.flushHeaders();
  answer.on('end', () => {
    if (answer.rawTrailers.length > 0) response.addTrailers(pairs(answer.rawTrailers));
  });
  pipeline(answer, response, () => {
    // Broken off on either side: pipeline has destroyed the other one, which is all there is to tell.
  });
}

/** Documents of one object are small; a node that sends more than this is not believed. */
const LARGEST_DOCUMENT = 16 * 1024 * 1024;

const isDocument = ({ statusCode = 0, headers }: IncomingMessage): boolean =>
  statusCode < 300 && /^application\/json\b/.test(headers['content-type'] ?? '');

function sendRewritten(answer: IncomingMessage, response: ServerResponse, rewrite: (body: string) => string): void {
  const chunks: Buffer[] = [];
  let size = 0;
  answer.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > LARGEST_DOCUMENT) answer.destroy();
  });
  answer.on('close', () => {
    if (!answer.complete) response.destroy();
  });
  answer.on('error', () => response.destroy());
  answer.on('end', () => {
    const body = Buffer.from(rewrite(Buffer.concat(chunks).toString('utf8')));
    const kept = pairs(withoutHopHeaders(answer.rawHeaders)).filter(([name]) => !FRAMING.has(name.toLowerCase()));
    response.sendDate = false;
    const headers = [...kept.flat(), 'Content-Length', String(body.length)];
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
    response.end(body);
  });
}

const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'trailer']);

function giveUp(
  incoming: IncomingMessage,
  response: ServerResponse,
  error: Error,
  { upstream, logger }: PassthroughOptions,
): void {
  if (response.destroyed || response.writableEnded) return;
  if (response.headersSent) {
    // A body cut short must not look complete.
    response.destroy();
    return;
  }
  logger.warn({ method: incoming.method, err: errorMessage(error) }, 'the Engine did not answer');
  incoming.unpipe();
  incoming.resume();
  const { status, body } = errorAnswer(upstream.explain(error));
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function pairs(raw: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) result.push([raw[index] ?? '', raw[index + 1] ?? '']);
  return result;
}

const onlyTexts = (headers: NodeJS.Dict<string | string[]>): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string | string[]] => entry[1] !== undefined),
  );
