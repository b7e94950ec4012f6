import type { ClientHttp2Stream } from 'node:http2';
import type { Clock } from '../../core/clock.js';
import type { Endpoint } from '../../proto/endpoint-table.js';
import { MOST_WAITING_BYTES, type DatagramLink, type LinkEvents } from './datagram-link.js';
import { endpointKey } from './endpoint-key.js';
import { abortTunnel } from './tunnel-abort.js';
import { encodeFrame, UdpFrameReader, type UdpFrame } from './udp-frame.js';

/** How often tunnels are looked at whose connection the peer is about to end, ms. */
const WATCH_PERIOD = 250;

export interface UdpTunnelsOptions {
  /** Opens a tunnel to the endpoint named; rejects when its node or itself is not there. */
  readonly dial: (nodeId: string, key: string) => Promise<ClientHttp2Stream>;
  readonly clock: Clock;
}

/** The dialling ends of the tunnels of datagrams: one for each endpoint of another node that is in use, for all its clients. */
export class UdpTunnels {
  readonly #options: UdpTunnelsOptions;
  readonly #tunnels = new Map<string, UdpTunnel>();
  #cancelWatch: (() => void) | undefined;

  constructor(options: UdpTunnelsOptions) {
    this.#options = options;
  }

  open(endpoint: Endpoint, events: LinkEvents): DatagramLink {
    const authority = endpointKey(endpoint, 'udp');
    const key = `${endpoint.nodeId} ${authority}`;
    // One that is ending takes itself off the map.
    this.#tunnels.get(key)?.look();
    let tunnel = this.#tunnels.get(key);
    if (tunnel === undefined) {
      const dialled = this.#options.dial(endpoint.nodeId, authority);
      const made: UdpTunnel = new UdpTunnel(dialled, () => {
        if (this.#tunnels.get(key) === made) this.#tunnels.delete(key);
      });
      tunnel = made;
      this.#tunnels.set(key, made);
      this.#watch();
    }
    return tunnel.open(events);
  }

  destroy(): void {
    this.#cancelWatch?.();
    for (const tunnel of [...this.#tunnels.values()]) tunnel.destroy();
  }

  #watch(): void {
    this.#cancelWatch ??= this.#options.clock.schedule(WATCH_PERIOD, () => {
      this.#cancelWatch = undefined;
      for (const tunnel of [...this.#tunnels.values()]) tunnel.look();
      if (this.#tunnels.size > 0) this.#watch();
    });
  }
}

/** One tunnel, from its dial until its last client left or its stream ended. It takes no new client once it is ending. */
class UdpTunnel {
  readonly #onEnding: () => void;
  readonly #sessions = new Map<number, LinkEvents>();
  readonly #reader = new UdpFrameReader();
  /** Frames that wait for the dial; at most MOST_WAITING_BYTES. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #stream: ClientHttp2Stream | undefined;
  #opened = 0;
  #ending = false;

  constructor(dialled: Promise<ClientHttp2Stream>, onEnding: () => void) {
    this.#onEnding = onEnding;
    dialled.then(
      (stream) => {
        this.#use(stream);
      },
      () => {
        this.#refuse();
      },
    );
  }

  open(events: LinkEvents): DatagramLink {
    this.#opened += 1;
    const session = this.#opened;
    this.#sessions.set(session, events);
    return {
      send: (datagram) => {
        if (this.#sessions.has(session)) this.#write(encodeFrame('datagram', session, datagram));
      },
      close: () => {
        if (!this.#sessions.delete(session)) return;
        this.#write(encodeFrame('close', session));
        this.#endWhenUnused();
      },
    };
  }

  /** Ends it when the peer is ending the connection: a hint that another process of its node takes over. */
  look(): void {
    const stream = this.#stream;
    if (stream !== undefined && stream.session?.closed !== false) this.#leave();
  }

  destroy(): void {
    this.#sessions.clear();
    this.#leave();
    if (this.#stream !== undefined) abortTunnel(this.#stream);
  }

  #use(stream: ClientHttp2Stream): void {
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => {
      const frames = this.#reader.read(chunk);
      if (frames === undefined) abortTunnel(stream);
      else for (const frame of frames) this.#onFrame(frame);
    });
    stream.once('end', () => {
      this.#lost();
    });
    stream.once('close', () => {
      this.#lost();
    });
    if (stream.destroyed) this.#lost();
    for (const frame of this.#pending) stream.write(frame);
    this.#pending = [];
    this.#endWhenUnused();
  }

  #onFrame({ kind, session, payload }: UdpFrame): void {
    const events = this.#sessions.get(session);
    if (events === undefined) return;
    switch (kind) {
      case 'datagram':
        events.onDatagram(payload);
        return;
      case 'refused':
        this.#sessions.delete(session);
        events.onRefused();
        this.#endWhenUnused();
        return;
      case 'close': // Told by this end only.
    }
  }

  #write(frame: Buffer): void {
    const stream = this.#stream;
    if (stream === undefined) {
      if (this.#pendingBytes + frame.length > MOST_WAITING_BYTES) return;
      this.#pendingBytes += frame.length;
      this.#pending.push(frame);
    } else if (!stream.destroyed && !stream.writableEnded && stream.writableLength < MOST_WAITING_BYTES) {
      stream.write(frame);
    }
  }

  #endWhenUnused(): void {
    if (this.#sessions.size > 0) return;
    this.#leave();
    this.#stream?.end();
  }

  /** Its clients go elsewhere with what is new; what they are owed may still come. */
  #leave(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#onEnding();
    for (const events of [...this.#sessions.values()]) events.onEnding();
  }

  #lost(): void {
    this.#leave();
    this.#sessions.clear();
  }

  /** The dial failed: nothing was sent. */
  #refuse(): void {
    this.#ending = true;
    this.#onEnding();
    const all = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const events of all) events.onRefused();
  }
}
