import { Server } from 'node:net';
import type { IpcChannel, SharedSocket } from './ipc-channel.js';

/** How a process comes to a listening socket. */
export type SocketOffer =
  | { readonly kind: 'bind' }
  | { readonly kind: 'handed'; readonly socket: Server }
  | { readonly kind: 'failed'; readonly error: string };

/** From a mesh process to the one that started it: which socket it wants. */
export interface SocketRequest {
  readonly kind: 'want';
  readonly name: string;
}

/** The answer: the message carries the socket itself, or says why there is none yet. */
export type SocketAnswer =
  | { readonly kind: 'socket'; readonly name: string }
  | { readonly kind: 'no-socket'; readonly name: string; readonly error: string }
  /** No further sockets come. */
  | { readonly kind: 'retired' };

type Take = (offer: SocketOffer) => void;

/**
 * Where a mesh process gets its listening sockets. The leading one binds them; one that another mesh
 * process started is given copies of that one's sockets, until it leads itself.
 *
 * Invariant: of the processes that share a socket, one alone binds, so they never fight over a port.
 */
export class SocketSource {
  #parent: IpcChannel | undefined;
  #isOrphan = false;
  readonly #wanted = new Map<string, Take>();
  readonly #onOrphaned: () => void;

  /** `parent`: the mesh process that started this one. */
  constructor(parent: IpcChannel | undefined, onOrphaned: () => void) {
    this.#parent = parent;
    this.#onOrphaned = onOrphaned;
    parent?.onMessage((message, socket) => {
      this.#onAnswer(message, socket);
    });
    parent?.onEnd(() => {
      this.#orphan();
    });
  }

  /** Whether this process binds its sockets itself. */
  get leads(): boolean {
    return this.#parent === undefined;
  }

  /** Whether the process that gave the sockets is gone or retired: new ones come only once this one leads. */
  get isOrphan(): boolean {
    return this.#isOrphan;
  }

  /** `take` is called at once or later; after `failed` perhaps again. The returned function ends that. */
  obtain(name: string, take: Take): () => void {
    if (this.#parent === undefined) {
      take({ kind: 'bind' });
      return () => undefined;
    }
    this.#wanted.set(name, take);
    const request: SocketRequest = { kind: 'want', name };
    this.#parent.send(request);
    return () => {
      if (this.#wanted.get(name) === take) this.#wanted.delete(name);
    };
  }

  /** From now on sockets are bound here, also those that were asked for in vain so far. */
  lead(): void {
    this.#parent = undefined;
    this.#isOrphan = false;
    const wanted = [...this.#wanted.values()];
    this.#wanted.clear();
    for (const take of wanted) take({ kind: 'bind' });
  }

  #orphan(): void {
    if (this.#parent === undefined || this.#isOrphan) return;
    this.#isOrphan = true;
    this.#onOrphaned();
  }

  #onAnswer(message: unknown, socket: SharedSocket | undefined): void {
    if (!isAnswer(message)) return;
    if (message.kind === 'retired') {
      this.#orphan();
      return;
    }
    const take = this.#wanted.get(message.name);
    if (message.kind === 'no-socket') {
      take?.({ kind: 'failed', error: message.error });
      return;
    }
    if (!(socket instanceof Server)) return;
    if (take === undefined) {
      // No longer wanted: closed before it can take a connection from those who want it.
      socket.close();
      return;
    }
    this.#wanted.delete(message.name);
    take({ kind: 'handed', socket });
  }
}

const isAnswer = (message: unknown): message is SocketAnswer =>
  typeof message === 'object' &&
  message !== null &&
  'kind' in message &&
  (message.kind === 'retired' || ('name' in message && (message.kind === 'socket' || message.kind === 'no-socket')));
