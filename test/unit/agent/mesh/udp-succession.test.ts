import { createSocket, type Socket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ListenAddress } from '../../../../agent/mesh/listener-plan.js';
import { UdpHandover } from '../../../../agent/mesh/udp-handover.js';
import type { UdpSocket } from '../../../../agent/mesh/udp-ports.js';
import type { UdpAddress, UdpSuccessor } from '../../../../agent/mesh/udp-succession.js';
import { UdpTakeover } from '../../../../agent/mesh/udp-takeover.js';
import { createLogger } from '../../../../core/logger.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { LocalChannel } from '../../../support/local-channel.js';

const logger = createLogger('silent');
const CLIENT: UdpAddress = { address: '127.0.0.1', port: 5000 };

/** The ports of the process before. */
class OldPorts {
  readonly handedOver = new Map<number, UdpSuccessor>();
  closed = 0;
  sockets: readonly UdpSocket[] = [];

  release(): readonly UdpSocket[] {
    return this.sockets;
  }

  handOver({ publishedPort }: ListenAddress, successor: UdpSuccessor): void {
    this.handedOver.set(publishedPort, successor);
  }

  close(): void {
    this.closed += 1;
  }
}

/** The ports of the process that takes over; says in order what it was told. */
class NewPorts {
  readonly told: string[] = [];
  /** What was handed over when a socket came. */
  onAdopt: () => void = () => undefined;

  adopt(sockets: readonly UdpSocket[]): void {
    for (const { publishedPort } of sockets) this.told.push(`adopt ${publishedPort}`);
    this.onAdopt();
  }

  answer({ publishedPort }: ListenAddress, datagram: Buffer, { address, port }: UdpAddress): void {
    this.told.push(`answer ${publishedPort} ${datagram.toString()} to ${address}:${port}`);
  }

  serve({ publishedPort }: ListenAddress, datagram: Buffer, { address, port }: UdpAddress): void {
    this.told.push(`serve ${publishedPort} ${datagram.toString()} of ${address}:${port}`);
  }
}

let clock: FakeClock;
let socket: Socket;
let isSocketClosed: boolean;
let oldPorts: OldPorts;
let newPorts: NewPorts;
let parent: LocalChannel;
let child: LocalChannel;
let handover: UdpHandover;
let takeover: UdpTakeover;
let returned: number;

beforeEach(() => {
  clock = new FakeClock();
  socket = createSocket('udp4');
  isSocketClosed = false;
  socket.once('close', () => (isSocketClosed = true));
  oldPorts = new OldPorts();
  oldPorts.sockets = [53, 54].map((publishedPort) => ({ publishedPort, socket }));
  newPorts = new NewPorts();
  [parent, child] = LocalChannel.pair();
  returned = 0;
  handover = new UdpHandover({ ports: oldPorts, logger, onReturned: () => (returned += 1) });
  takeover = new UdpTakeover({ parent: child, ports: newPorts, clock, logger });
});

afterEach(() => {
  if (!isSocketClosed) socket.close();
});

describe('udp ports', () => {
  test('are handed over one by one, each served by the old process until the new one reads it', async () => {
    handover.addHeir(parent);
    const handedOverAtAdopt: number[] = [];
    newPorts.onAdopt = () => handedOverAtAdopt.push(oldPorts.handedOver.size);
    await takeover.take();
    expect(newPorts.told).toEqual(['adopt 53', 'adopt 54']);
    expect(handedOverAtAdopt).toEqual([0, 1]);
    expect([...oldPorts.handedOver.keys()]).toEqual([53, 54]);
    expect(handover.isTaken).toBe(true);
    oldPorts.handedOver.get(54)?.answer(Buffer.from('late'), CLIENT);
    oldPorts.handedOver.get(53)?.serve(Buffer.from('refused'), CLIENT);
    expect(newPorts.told.slice(2)).toEqual(['answer 54 late to 127.0.0.1:5000', 'serve 53 refused of 127.0.0.1:5000']);
  });

  test('of a retired process are served until they are taken, and closed when nobody is left who could', () => {
    handover.addHeir(parent);
    handover.retire();
    expect(oldPorts.closed).toBe(0);
    child.close();
    expect(oldPorts.closed).toBe(1);
  });

  test('of a retired process that started no other are closed at once', () => {
    handover.retire();
    expect(oldPorts.closed).toBe(1);
  });

  test('come back when the process that took them is gone, unless this one is retired', async () => {
    handover.addHeir(parent);
    await takeover.take();
    takeover.close();
    expect([handover.isTaken, returned]).toEqual([false, 1]);
  });

  test('are not waited for longer than a second, nor when the old process is gone', async () => {
    const waiting = takeover.take();
    await clock.advance(1_000);
    await waiting;
    const other = new UdpTakeover({ parent: child, ports: newPorts, clock, logger });
    parent.close();
    await other.take();
    await new UdpTakeover({ parent: undefined, ports: newPorts, clock, logger }).take();
    expect(newPorts.told).toEqual([]);
  });

  test('that come late are taken all the same; to a process that ends they are of no use', async () => {
    const waiting = takeover.take();
    await clock.advance(1_000);
    await waiting;
    parent.send({ kind: 'udp-socket', publishedPort: 53 }, socket);
    expect(newPorts.told).toEqual(['adopt 53']);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    // The message was on its way.
    const [late, end] = LocalChannel.pair();
    const ending = new UdpTakeover({ parent: end, ports: newPorts, clock, logger });
    end.close = () => undefined;
    ending.close();
    late.send({ kind: 'udp-socket', publishedPort: 54 }, socket);
    await closed;
    expect(newPorts.told).toEqual(['adopt 53']);
  });
});
