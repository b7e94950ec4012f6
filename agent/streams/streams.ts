import type { IdentitySource } from '../../core/identity.js';
import { errorMessage } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { StreamServer } from './stream-server.js';

export interface StreamsOptions {
  readonly identity: IdentitySource;
  /** Path of the local Engine's socket. */
  readonly engineSocket: string;
  readonly logger: Logger;
}

/**
 * The streams that managers asked this node for. Most workers never get such a request: what serves it is
 * loaded with the first one.
 *
 * Invariant: no stream outlives the session that asked for it.
 */
export class Streams {
  readonly #options: StreamsOptions;
  readonly #open = new Set<AbortController>();
  #server: Promise<StreamServer> | undefined;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /** Opens a stream to the manager at `addr` (host:port) and answers on it. */
  open(addr: string, streamId: string): void {
    const ending = new AbortController();
    this.#open.add(ending);
    void this.#serve(addr, streamId, ending.signal).finally(() => {
      this.#open.delete(ending);
    });
  }

  /** The session ended. */
  endAll(): void {
    for (const ending of this.#open) ending.abort();
  }

  async close(): Promise<void> {
    this.endAll();
    const server = await this.#server?.catch(() => undefined);
    server?.close();
  }

  /** Resolves when the stream is closed; never rejects. */
  async #serve(addr: string, streamId: string, signal: AbortSignal): Promise<void> {
    try {
      this.#server ??= this.#load();
      const server = await this.#server;
      await server.serve(addr, streamId, signal);
    } catch (error) {
      // The manager waits for the stream and says what came of it; here it is one line for the curious.
      this.#options.logger.info({ manager: addr, err: errorMessage(error) }, 'a stream to the Engine failed');
    }
  }

  async #load(): Promise<StreamServer> {
    const { StreamServer: Server } = await import('./stream-server.js');
    return new Server(this.#options);
  }
}
