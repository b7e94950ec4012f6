import { request, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { pipeline, type Duplex } from 'node:stream';
import { errorMessage } from '../../core/errors.js';
import { EngineRefusal, unavailable } from './engine-owner.js';

/** Headers that speak of one connection, not of the message. */
const HOP_HEADERS: ReadonlySet<string> = new Set(['connection', 'keep-alive']);

/** Passes a request on to the Engine under `url`, and the answer back, both streamed. */
export function forwardRequest(
  incoming: IncomingMessage,
  response: ServerResponse,
  url: string,
  engineSocket: string,
): void {
  const outgoing = request({
    socketPath: engineSocket,
    method: incoming.method,
    path: url,
    // Kept alive so that we are the side that ends it: an Engine that closed it behind an early answer would
    // fail our last write, and the answer would be lost with it.
    headers: [...withoutHopHeaders(incoming.rawHeaders), 'Connection', 'keep-alive'],
    agent: false,
  });
  outgoing.on('response', (answer) => {
    const framed = answer.headers['content-length'] !== undefined || answer.headers['transfer-encoding'] !== undefined;
    // An answer that ends with its connection must end so here too.
    if (!framed) response.useChunkedEncodingByDefault = false;
    response.sendDate = false;
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, withoutHopHeaders(answer.rawHeaders));
    // `logs -f` and `stats` answer with their head at once and the body much later.
    response.flushHeaders();
    pipeline(chunksOf(answer), response, () => {
      // Broken off on either side: pipeline has destroyed the other one.
    });
  });
  outgoing.on('error', (error) => {
    sendFailure(response, unavailable(errorMessage(error), error));
  });
  response.on('close', () => {
    outgoing.destroy();
  });
  sendBody(incoming, outgoing);
}

/** What is at hand goes on in one piece: the Engine sends each line of a log as a chunk of its own. */
async function* chunksOf(answer: IncomingMessage): AsyncGenerator<Buffer> {
  for await (const chunk of answer) yield chunk as Buffer; // without an encoding: bytes
}

function sendBody(incoming: IncomingMessage, outgoing: ClientRequest): void {
  incoming.on('close', () => {
    if (!incoming.complete) outgoing.destroy();
  });
  incoming.pipe(outgoing);
}

/** Joins the stream with the Engine for a request that leaves HTTP (attach, exec). `head`: what came behind the request's head. */
export function forwardUpgrade(
  incoming: IncomingMessage,
  stream: Duplex,
  head: Buffer,
  url: string,
  engineSocket: string,
): void {
  const outgoing = request({
    // The Engine may end its direction (output) while input still comes.
    createConnection: () => connect({ path: engineSocket, allowHalfOpen: true }),
    method: incoming.method,
    path: url,
    headers: incoming.rawHeaders,
  });
  const hangUp = (): void => {
    outgoing.destroy();
  };
  stream.on('close', hangUp);
  outgoing.on('socket', (engine) => {
    engine.once('connect', () => {
      // Below the request object: the body is already framed by whoever sent it.
      if (head.length > 0) engine.write(head);
      stream.pipe(engine);
    });
  });
  outgoing.on('upgrade', (answer, engine, firstBytes) => {
    stream.unpipe();
    stream.off('close', hangUp);
    stream.write(headOf(answer, answer.rawHeaders));
    if (firstBytes.length > 0) stream.write(firstBytes);
    splice(stream, engine);
  });
  outgoing.on('response', (answer) => {
    // The answer is the last thing on this stream: it ends where the stream ends.
    const headers = withoutHopHeaders(answer.rawHeaders, 'transfer-encoding');
    stream.unpipe();
    stream.resume();
    stream.write(headOf(answer, [...headers, 'Connection', 'close']));
    pipeline(answer, stream, () => {
      // As above.
    });
  });
  outgoing.on('error', (error) => {
    sendLastFailure(stream, unavailable(errorMessage(error), error));
  });
  outgoing.flushHeaders();
}

/** Answers with an error as the Engine does: a status and `{"message": …}`. */
export function sendFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { status, body } = failureOf(error);
  // The rest of a body that was not read is in the way of a next request.
  if (!response.req.complete) response.setHeader('Connection', 'close');
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

/** The same where there is no response object. Ends the stream. */
export function sendLastFailure(stream: Duplex, error: unknown): void {
  if (stream.destroyed || stream.writableEnded) return;
  const { status, body } = failureOf(error);
  const headers = ['Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(body))];
  stream.end(headOf({ statusCode: status, statusMessage: '' }, [...headers, 'Connection', 'close']) + body);
  stream.resume();
}

const failureOf = (error: unknown): { readonly status: number; readonly body: string } => ({
  status: error instanceof EngineRefusal ? error.status : 503,
  body: `${JSON.stringify({ message: errorMessage(error) })}\n`,
});

/** The end of one direction leaves the other open; a hang-up or an error ends both. */
function splice(stream: Duplex, engine: Duplex): void {
  const end = (): void => {
    stream.destroy();
    engine.destroy();
  };
  engine.on('error', end);
  stream.on('close', end);
  stream.pipe(engine);
  engine.pipe(stream);
}

function headOf(answer: Pick<IncomingMessage, 'statusCode' | 'statusMessage'>, raw: readonly string[]): string {
  const lines = [`HTTP/1.1 ${answer.statusCode ?? 502} ${answer.statusMessage ?? ''}`];
  for (let index = 0; index + 1 < raw.length; index += 2) lines.push(`${raw[index] ?? ''}: ${raw[index + 1] ?? ''}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Raw headers (name, value, name, value…) without those of the connection they came over. */
function withoutHopHeaders(raw: readonly string[], ...others: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name, value] = [raw[index] ?? '', raw[index + 1] ?? ''];
    const lower = name.toLowerCase();
    if (!HOP_HEADERS.has(lower) && !others.includes(lower)) kept.push(name, value);
  }
  return kept;
}
