import { createServer, type Server } from 'node:net';
import { beforeEach, describe, expect, test } from 'vitest';
import { Heirs } from '../../../../agent/mesh/heirs.js';
import type { IpcChannel } from '../../../../agent/mesh/ipc-channel.js';
import type { MeshToDaemon } from '../../../../agent/mesh/messages.js';
import { SocketSource, type SocketOffer } from '../../../../agent/mesh/socket-source.js';
import { createLogger } from '../../../../core/logger.js';

/** One end of a channel within this process. */
class LocalChannel implements IpcChannel {
  peer: LocalChannel | undefined;
  readonly #onMessage: ((message: unknown, socket: Server | undefined) => void)[] = [];
  readonly #onEnd: (() => void)[] = [];

  static pair(): readonly [LocalChannel, LocalChannel] {
    const [one, other] = [new LocalChannel(), new LocalChannel()];
    one.peer = other;
    other.peer = one;
    return [one, other];
  }

  send(message: object, socket?: Server): void {
    const { peer } = this;
    if (peer === undefined) return;
    for (const listener of peer.#onMessage) listener(message, socket);
  }

  onMessage(listener: (message: unknown, socket: Server | undefined) => void): void {
    this.#onMessage.push(listener);
  }

  onEnd(listener: () => void): void {
    this.#onEnd.push(listener);
  }

  close(): void {
    const { peer } = this;
    this.peer = undefined;
    for (const listener of this.#onEnd) listener();
    if (peer?.peer !== undefined) peer.close();
  }
}

let heirs: Heirs;
let told: MeshToDaemon[];
let source: SocketSource;
let orphaned: number;

beforeEach(async () => {
  const [parent, child] = LocalChannel.pair();
  told = [];
  orphaned = 0;
  heirs = new Heirs(createLogger('silent'), (message) => told.push(message));
  void heirs.start(() => Promise.resolve({ pid: 7, channel: parent, ended: new Promise<never>(() => undefined) }));
  await Promise.resolve();
  source = new SocketSource(child, () => (orphaned += 1));
});

const obtain = (name: string): readonly SocketOffer[] => {
  const offers: SocketOffer[] = [];
  source.obtain(name, (offer) => offers.push(offer));
  return offers;
};

describe('sockets that a mesh process gets from the one that started it', () => {
  test('the daemon is told of the new process', () => {
    expect(told).toEqual([{ kind: 'spawned', pid: 7 }]);
  });

  test('one that is open already, and one that is opened later', () => {
    const [early, late] = [createServer(), createServer()];
    heirs.holds('tcp 80', { socket: early });
    expect(obtain('tcp 80')).toEqual([{ kind: 'handed', socket: early }]);
    const offers = obtain('tcp 81');
    expect(offers).toEqual([]);
    heirs.holds('tcp 81', { socket: late });
    expect(offers).toEqual([{ kind: 'handed', socket: late }]);
  });

  test('one that cannot be opened says why, and comes when it heals', () => {
    heirs.holds('tcp 80', { error: 'address already in use' });
    const offers = obtain('tcp 80');
    expect(offers).toEqual([{ kind: 'failed', error: 'address already in use' }]);
    const socket = createServer();
    heirs.holds('tcp 80', { socket });
    expect(offers[1]).toEqual({ kind: 'handed', socket });
  });

  test('one that is no longer wanted is closed as it arrives', () => {
    const forget = source.obtain('tcp 80', () => {
      throw new Error('nobody wants it');
    });
    forget();
    const socket = createServer();
    let closed = 0;
    socket.close = () => {
      closed += 1;
      return socket;
    };
    heirs.holds('tcp 80', { socket });
    expect(closed).toBe(1);
  });

  test('an orphan waits until it leads; then it binds what it still wants, and all that comes', () => {
    const offers = obtain('tcp 80');
    heirs.close();
    expect(orphaned).toBe(1);
    expect(source.isOrphan).toBe(true);
    expect(offers).toEqual([]);
    source.lead();
    expect(source.isOrphan).toBe(false);
    expect(offers).toEqual([{ kind: 'bind' }]);
    expect(obtain('tcp 81')).toEqual([{ kind: 'bind' }]);
  });
});
