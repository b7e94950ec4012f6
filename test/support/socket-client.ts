import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request, type RequestOptions } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Readable } from 'node:stream';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export interface Question {
  readonly method?: string;
  readonly headers?: RequestOptions['headers'];
  /** Objects are sent as JSON, with the header that says so alone. */
  readonly body?: string | Buffer | Record<string, unknown>;
}

/** An HTTP client of a unix socket, down to the bytes where a test needs them. */
export class SocketClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** A request whose body and answer the test handles itself. */
  open(path: string, options: RequestOptions = {}): ClientRequest {
    return request({ socketPath: this.#socketPath, path, agent: false, maxHeaderSize: 1024 * 1024, ...options });
  }

  async ask(path: string, { method = 'GET', headers = {}, body }: Question = {}): Promise<Answer> {
    const isDocument = body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body);
    const call = this.open(path, {
      method,
      headers: isDocument ? { 'Content-Type': 'application/json' } : headers,
    });
    call.end(isDocument ? JSON.stringify(body) : body);
    return readAnswer(await answerOf(call));
  }

  /** The JSON document of an answer. */
  async document(path: string, question: Question = {}): Promise<unknown> {
    return JSON.parse((await this.ask(path, question)).text);
  }

  /** A bare connection. */
  async connect(): Promise<Socket> {
    const socket = connect({ path: this.#socketPath, allowHalfOpen: true });
    await once(socket, 'connect');
    return socket;
  }
}

export function answerOf(call: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.on('response', resolve);
    call.on('error', reject);
  });
}

export async function readAnswer(answer: IncomingMessage): Promise<Answer> {
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: (await readAll(answer)).toString('utf8') };
}

/** Reads to the end, and leaves the other direction of a socket open. Rejects when the stream breaks off. */
export function readAll(stream: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    if (stream.destroyed) reject(new Error('closed before it was read'));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      resolve(Buffer.concat(chunks));
    });
    stream.on('error', reject);
    stream.on('close', () => {
      reject(new Error('closed before its end'));
    });
  });
}

/** Reads from a socket until what came contains `text`; what came later stays. */
export async function readUntil(socket: Socket, text: string): Promise<string> {
  let read = '';
  while (!read.includes(text)) {
    const chunk: unknown = socket.read();
    if (Buffer.isBuffer(chunk)) read += chunk.toString('utf8');
    else if (socket.readableEnded || socket.destroyed) throw new Error(`ended before ${text}: ${read}`);
    else await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
  }
  return read;
}
