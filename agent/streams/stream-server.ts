import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { isBaleError } from '../../core/errors.js';
import { StreamDialler } from '../../proto/stream-dialler.js';
import { forwardRequest, forwardUpgrade, sendFailure, sendLastFailure } from './engine-forward.js';
import { EngineRefusal, ownedId } from './engine-owner.js';
import { readEngineRequest } from './engine-request.js';
import type { StreamsOptions } from './streams.js';

/** Bytes of one head: paths in archives are long. */
const LARGEST_HEAD = 64 * 1024;

/**
 * Answers on streams to managers: HTTP/1.1, a narrow part of the Engine's API, and of its containers only
 * those of this node's tasks. The server listens nowhere; each stream is handed to it as a connection.
 */
export class StreamServer {
  readonly #options: StreamsOptions;
  readonly #dialler: StreamDialler;
  readonly #http: Server;

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.#dialler = new StreamDialler(options.identity);
    this.#http = createServer({ maxHeaderSize: LARGEST_HEAD, requestTimeout: 0, keepAliveTimeout: 0 });
    this.#http.on('request', (request, response) => {
      void this.#answer(request, response);
    });
    this.#http.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      void this.#upgrade(request, stream, head);
    });
    this.#http.on('clientError', (_error, stream) => stream.destroy());
  }

  /** Opens a stream and answers on it until it closes. Rejects with what broke it; that the manager closes it, or `signal` aborts, is no fault. */
  serve(addr: string, streamId: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const stream = this.#dialler.open(addr, streamId);
      const onAbort = (): void => {
        stream.destroy();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      let failure: Error | undefined;
      stream.on('error', (error) => {
        failure = error;
      });
      stream.once('close', () => {
        signal.removeEventListener('abort', onAbort);
        if (failure === undefined || isBaleError(failure, 'BALE_STREAM_CLOSED')) resolve();
        else reject(failure);
      });
      this.#http.emit('connection', stream);
    });
  }

  close(): void {
    this.#dialler.close();
  }

  /** Never rejects. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      forwardRequest(request, response, await this.#admit(request), this.#options.engineSocket);
    } catch (error) {
      sendFailure(response, error);
    }
  }

  /** Never rejects. */
  async #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    try {
      forwardUpgrade(request, stream, head, await this.#admit(request), this.#options.engineSocket);
    } catch (error) {
      sendLastFailure(stream, error);
    }
  }

  /** The URL to ask the Engine for. Throws what the manager is then told. */
  async #admit({ method = 'GET', url = '/' }: IncomingMessage): Promise<string> {
    const wanted = readEngineRequest(method, url);
    if (wanted === undefined) {
      throw new EngineRefusal(403, `this node serves no "${method} ${url.slice(0, 200)}" to its managers`);
    }
    const { engineSocket, identity } = this.#options;
    return wanted.urlFor(await ownedId(wanted.target, identity.current.nodeId, engineSocket));
  }
}
