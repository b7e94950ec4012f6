import type { Server } from 'node:net';
import type { Logger } from '../../core/logger.js';
import { errorMessage } from '../../core/errors.js';
import type { IpcChannel } from './ipc-channel.js';
import type { MeshToDaemon } from './messages.js';
import type { SocketAnswer, SocketRequest } from './socket-source.js';

/** A listening socket of this process, or why there is none. */
type Held = { readonly socket: Server } | { readonly error: string };

/** A mesh process that this one started. */
export interface HeirProcess {
  readonly pid: number;
  readonly channel: IpcChannel;
  /** Rejects, saying why, when the process ends; never resolves. */
  readonly ended: Promise<never>;
}

/** The mesh processes that this one started, and the sockets it shares with them. */
export class Heirs {
  readonly #logger: Logger;
  readonly #tell: (message: MeshToDaemon) => void;
  readonly #held = new Map<string, Held>();
  readonly #wants = new Map<IpcChannel, Set<string>>();
  readonly #onHeir: (channel: IpcChannel) => void;

  /** `tell`: to the daemon. `onHeir` is called for each process that was started. */
  constructor(logger: Logger, tell: (message: MeshToDaemon) => void, onHeir: (channel: IpcChannel) => void) {
    this.#logger = logger;
    this.#tell = tell;
    this.#onHeir = onHeir;
  }

  /** Starts one; the daemon is told its pid, or why there is none, and when it ends. */
  async start(spawn: () => Promise<HeirProcess>): Promise<void> {
    let heir: HeirProcess;
    try {
      heir = await spawn();
    } catch (error) {
      this.#tell({ kind: 'spawn-failed', error: errorMessage(error) });
      return;
    }
    const { pid, channel, ended } = heir;
    this.#adopt(channel);
    this.#onHeir(channel);
    this.#logger.info({ pid }, 'another mesh process was started');
    this.#tell({ kind: 'spawned', pid });
    await ended.catch((error: unknown) => {
      this.#tell({ kind: 'spawn-failed', pid, error: errorMessage(error) });
    });
  }

  /** A socket was opened, or could not be: those who wait for it hear of it. */
  holds(name: string, held: Held): void {
    this.#held.set(name, held);
    for (const [channel, wants] of this.#wants) if (wants.has(name)) this.#answer(channel, wants, name);
  }

  /** It was closed here; copies of others live on. */
  drops(name: string): void {
    this.#held.delete(name);
  }

  /** Nothing more is shared, since this process opens no socket any more; who takes over still talks with it. */
  retire(): void {
    for (const channel of this.#wants.keys()) channel.send({ kind: 'retired' } satisfies SocketAnswer);
  }

  close(): void {
    for (const channel of this.#wants.keys()) channel.close();
    this.#wants.clear();
  }

  #adopt(channel: IpcChannel): void {
    const wants = new Set<string>();
    this.#wants.set(channel, wants);
    channel.onMessage((message) => {
      if (!isRequest(message)) return;
      wants.add(message.name);
      this.#answer(channel, wants, message.name);
    });
    channel.onEnd(() => this.#wants.delete(channel));
  }

  #answer(channel: IpcChannel, wants: Set<string>, name: string): void {
    const held = this.#held.get(name);
    if (held === undefined) return;
    if ('error' in held) {
      const answer: SocketAnswer = { kind: 'no-socket', name, error: held.error };
      channel.send(answer);
      return;
    }
    wants.delete(name);
    const answer: SocketAnswer = { kind: 'socket', name };
    channel.send(answer, held.socket);
  }
}

const isRequest = (message: unknown): message is SocketRequest =>
  typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'want' && 'name' in message;
