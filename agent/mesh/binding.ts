import type { Server } from 'node:net';
import { formatHostPort } from '../../core/address.js';
import { backoffDelay, type BackoffPolicy } from '../../core/backoff.js';
import type { Clock } from '../../core/clock.js';
import { errorCode, errorMessage } from '../../core/errors.js';

const RETRY: BackoffPolicy = { initial: 1_000, max: 10_000 };
const BACKLOG = 4_096;

const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EACCES: 'permission denied',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EMFILE: 'too many open files',
};

export interface BindingOptions {
  readonly server: Server;
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
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
  /** Resolves when the first attempt has succeeded or failed. */
  readonly attempted: Promise<void>;

  constructor(options: BindingOptions) {
    this.#options = options;
    this.attempted = new Promise((resolve) => {
      this.#listen(resolve);
    });
  }

  /** Why it does not listen, as the Engine words it; undefined while it does. */
  get error(): string | undefined {
    return this.#error;
  }

  /** Accepts nothing more; connections that are open live on. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry();
    this.#options.server.close();
  }

  #listen(attempted: () => void): void {
    const { server, host, port, clock } = this.#options;
    const onError = (error: Error): void => {
      server.off('listening', onListening);
      const delay = backoffDelay(RETRY, this.#failures);
      this.#failures += 1;
      this.#cancelRetry = clock.schedule(delay, () => {
        if (!this.#closed) this.#listen(() => undefined);
      });
      this.#set(
        `listen tcp ${formatHostPort({ host, port })}: ${CAUSES[errorCode(error) ?? ''] ?? errorMessage(error)}`,
      );
      attempted();
    };
    const onListening = (): void => {
      server.off('error', onError);
      // An error of a single accept (too many open files) ends nothing.
      server.on('error', () => undefined);
      this.#failures = 0;
      this.#set(undefined);
      attempted();
    };
    server.once('error', onError);
    server.once('listening', onListening);
    server.listen({ host, port, backlog: BACKLOG });
  }

  #set(error: string | undefined): void {
    if (error === this.#error) return;
    this.#error = error;
    this.#options.onChange();
  }
}
