import type { Server } from 'node:net';
import { formatHostPort } from '../../core/address.js';
import { backoffDelay, type BackoffPolicy } from '../../core/backoff.js';
import type { Clock } from '../../core/clock.js';
import { errorCode, errorMessage } from '../../core/errors.js';
import type { SharedSockets } from './shared-sockets.js';

/** The first retry is soon: a process that ends, or closes its copy of the socket, frees it within milliseconds. */
export const BIND_RETRY: BackoffPolicy = { initial: 50, max: 10_000 };
const BACKLOG = 4_096;

const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EACCES: 'permission denied',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EMFILE: 'too many open files',
};

/** In the Engine's words. */
export const bindCause = (error: unknown): string => CAUSES[errorCode(error) ?? ''] ?? errorMessage(error);

export interface BindingOptions {
  readonly server: Server;
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly sockets: SharedSockets;
  /** What the socket is called among the mesh processes that share it. */
  readonly name: string;
  /** Called when `error` changed. */
  readonly onChange: () => void;
}

/** Keeps a server listening on one address: a failure is told with its cause and tried again for ever. */
export class Binding {
  readonly #options: BindingOptions;
  #error: string | undefined;
  #failures = 0;
  #closed = false;
  #cancelRetry: () => void = () => undefined;
  #cancelOffer: () => void = () => undefined;
  #attempted: () => void = () => undefined;
  /** Resolves when the first attempt has succeeded or failed, or it was closed. */
  readonly attempted: Promise<void>;

  constructor(options: BindingOptions) {
    this.#options = options;
    this.attempted = new Promise((resolve) => {
      this.#attempted = resolve;
    });
    this.#cancelOffer = options.sockets.obtain(options.name, (offer) => {
      switch (offer.kind) {
        case 'bind':
          this.#listen(undefined);
          return;
        case 'handed':
          this.#listen(offer.socket);
          return;
        case 'failed':
          this.#set(offer.error);
          this.#attempted();
      }
    });
  }

  /** Why it does not listen, as the Engine words it; undefined while it does. */
  get error(): string | undefined {
    return this.#error;
  }

  /** Accepts nothing more; connections that are open live on. */
  close(): void {
    const { server, sockets, name } = this.#options;
    this.#closed = true;
    this.#cancelRetry();
    this.#cancelOffer();
    sockets.closed(name);
    server.close();
    this.#attempted();
  }

  /** `handed`: a socket that listens already, in another process too. */
  #listen(handed: Server | undefined): void {
    const { server, host, port, clock, sockets, name } = this.#options;
    const onError = (error: Error): void => {
      server.off('listening', onListening);
      const delay = backoffDelay(BIND_RETRY, this.#failures);
      this.#failures += 1;
      this.#cancelRetry = clock.schedule(delay, () => {
        if (!this.#closed) this.#listen(undefined);
      });
      const cause = `listen tcp ${formatHostPort({ host, port })}: ${bindCause(error)}`;
      sockets.failed(name, cause);
      this.#set(cause);
      this.#attempted();
    };
    const onListening = (): void => {
      server.off('error', onError);
      // An error of a single accept (too many open files) ends nothing.
      server.on('error', () => undefined);
      this.#failures = 0;
      if (!this.#closed) sockets.opened(name, server);
      this.#set(undefined);
      this.#attempted();
    };
    server.once('error', onError);
    server.once('listening', onListening);
    if (handed === undefined) server.listen({ host, port, backlog: BACKLOG });
    else server.listen(handed, BACKLOG);
  }

  #set(error: string | undefined): void {
    if (error === this.#error) return;
    this.#error = error;
    this.#options.onChange();
  }
}
