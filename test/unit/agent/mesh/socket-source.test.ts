import { createServer } from 'node:net';
import { beforeEach, describe, expect, test } from 'vitest';
import { Heirs } from '../../../../agent/mesh/heirs.js';
import type { IpcChannel } from '../../../../agent/mesh/ipc-channel.js';
import type { MeshToDaemon } from '../../../../agent/mesh/messages.js';
import { SocketSource, type SocketOffer } from '../../../../agent/mesh/socket-source.js';
import { createLogger } from '../../../../core/logger.js';
import { LocalChannel } from '../../../support/local-channel.js';

let heirs: Heirs;
let told: MeshToDaemon[];
let source: SocketSource;
let orphaned: number;
let started: IpcChannel[];

beforeEach(async () => {
  const [parent, child] = LocalChannel.pair();
  told = [];
  orphaned = 0;
  started = [];
  heirs = new Heirs(
    createLogger('silent'),
    (message) => told.push(message),
    (channel) => started.push(channel),
  );
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

  test('what shares more than listening sockets with it is told too', () => {
    expect(started).toHaveLength(1);
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

  test('a process whose parent retired is an orphan once, also when the channel ends later', () => {
    heirs.retire();
    expect(source.isOrphan).toBe(true);
    heirs.close();
    expect(orphaned).toBe(1);
  });

  test('one that leads is no orphan when its parent retires or ends', () => {
    source.lead();
    heirs.retire();
    heirs.close();
    expect(source.isOrphan).toBe(false);
    expect(orphaned).toBe(0);
  });
});
