import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorMessage } from '../core/errors.js';
import { engineUpgradeHeaders, framedUpgradeHeaders, HEADER_LIMIT, withoutHopHeaders } from './engine-headers.js';
import type { PassthroughOptions } from './engine-passthrough.js';
import { errorAnswer } from './error-answer.js';

/** A request that asked to leave HTTP: its head is parsed, everything after it is in `head` and the socket. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
  /** Instead of the URL of the request. */
  readonly url?: string;
  /** The body, where it was read whole: nothing behind it reaches the Engine before the Engine agreed to the upgrade. */
  readonly body?: Buffer;
}

/**
 * Hands an upgrade (attach, exec, /session, /grpc) to the Engine. The bytes after the head, body
 * included, go to it as they come. On 101 the two sockets become one pipe, each direction with
 * back-pressure and an end of its own; any other answer is passed on as HTTP and ends the connection,
 * so that no later request can slip past us on it.
 */
export function upgradeToEngine(call: UpgradeRequest, options: PassthroughOptions): void {
  const { request: incoming, socket: client, head, body } = call;
  const outgoing = request({
    // The Engine may end its direction (output) while the client still sends (input).
    ...options.upstream.halfOpen,
    method: incoming.method,
    path: call.url ?? incoming.url,
    headers: body === undefined ? engineUpgradeHeaders(incoming) : framedUpgradeHeaders(incoming, body.length),
    maxHeaderSize: HEADER_LIMIT,
  });
  const hangUp = (): void => {
    outgoing.destroy();
  };
  client.on('error', hangUp);
  client.on('close', hangUp);
  outgoing.on('socket', (engine) => {
    if (body !== undefined) return;
    const sendRest = (): void => {
      // Below the request object: what follows the head is already framed by the client.
      if (head.length > 0) engine.write(head);
      client.pipe(engine);
    };
    if (engine.connecting) engine.once('connect', sendRest);
    // Open already: the head of the request is written as soon as this event is over.
    else process.nextTick(sendRest);
  });
  outgoing.on('continue', () => {
    client.write('HTTP/1.1 100 Continue\r\n\r\n');
  });
  outgoing.on('upgrade', (answer, engine, firstBytes) => {
    client.unpipe();
    client.off('close', hangUp);
    client.write(responseHead(answer, answer.rawHeaders));
    if (firstBytes.length > 0) client.write(firstBytes);
    if (body !== undefined && head.length > 0) engine.write(head);
    splice(client, engine);
  });
  outgoing.on('response', (answer) => {
    client.unpipe();
    sendLastAnswer(client, answer);
  });
  outgoing.on('error', (error) => {
    if (client.destroyed || client.writableEnded) return;
    options.logger.warn({ method: incoming.method, err: errorMessage(error) }, 'the Engine did not answer an upgrade');
    sendLastError(client, options.upstream.explain(error));
  });
  if (body === undefined) outgoing.flushHeaders();
  else outgoing.end(body);
}

/** Joins two sockets. The end of one direction leaves the other open; a hang-up or an error ends both. */
function splice(client: Socket, engine: Duplex): void {
  const end = (): void => {
    client.destroy();
    engine.destroy();
  };
  client.on('error', end);
  engine.on('error', end);
  client.on('close', end);
  engine.on('close', () => {
    // Broken off without an error: the output must not look as if it were still to come.
    if (!engine.readableEnded) end();
  });
  client.pipe(engine);
  engine.pipe(client);
}

/** Passes an ordinary answer on, as the last one of this connection: it ends where the connection ends. */
function sendLastAnswer(client: Socket, answer: IncomingMessage): void {
  const headers: string[] = [];
  const kept = withoutHopHeaders(answer.rawHeaders);
  for (let index = 0; index + 1 < kept.length; index += 2) {
    const [name, value] = [kept[index] ?? '', kept[index + 1] ?? ''];
    if (name.toLowerCase() !== 'transfer-encoding') headers.push(name, value);
  }
  client.write(responseHead(answer, [...headers, 'Connection', 'close']));
  answer.on('error', () => {
    client.destroy();
  });
  answer.pipe(client);
  // What the client still sends is read and dropped, so that it comes to read the answer.
  client.resume();
}

/** The same for an error of ours. */
export function sendLastError(client: Socket, error: unknown): void {
  const { status, body } = errorAnswer(error);
  const head = responseHead({ statusCode: status, statusMessage: '' }, [
    ...['Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(body)), 'Connection', 'close'],
  ]);
  client.end(head + body);
  client.resume();
}

/** A head with the spelling and order of the headers as they came. */
function responseHead(answer: Pick<IncomingMessage, 'statusCode' | 'statusMessage'>, raw: readonly string[]): string {
  const lines = [`HTTP/1.1 ${answer.statusCode ?? 502} ${answer.statusMessage ?? ''}`];
  for (let index = 0; index + 1 < raw.length; index += 2) lines.push(`${raw[index] ?? ''}: ${raw[index + 1] ?? ''}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
