import type { Socket } from 'node:dgram';
import type { Clock } from '../../core/clock.js';
import type { Endpoint, Hold, PublishedPort } from '../../proto/endpoint-table.js';
import { MOST_SESSIONS, type DatagramLink, type LinkEvents } from './datagram-link.js';
import type { Lease, Route } from './route.js';
import { UdpActivity } from './udp-activity.js';
import { UdpBinding } from './udp-binding.js';
import { chooseEvicted, judgeDatagram } from './udp-routing.js';
import { UdpRetries, type Undelivered } from './udp-retries.js';
import type { UdpAddress, UdpSuccessor } from './udp-succession.js';
import { UdpWaiting, type WaitingFacts } from './udp-waiting.js';

/** ms between looks at sessions that are in flight or about to end, and at those that are not. */
const BUSY_PERIOD = 50;
const IDLE_PERIOD = 1_000;
/** ms for which a session that was replaced still relays answers. */
const LINGER = 2_000;
/** A datagram that is refused goes to this many endpoints before it pauses, if it is no larger than this, bytes. */
const ENDPOINTS_PER_ROUND = 3;
const LARGEST_KEPT = 1_500;
/** Of each session; a resolver asks for the addresses of both families at once. */
const MOST_KEPT = 4;
const DEFAULT_TIMEOUT = 60_000;
const NOBODY: ReadonlySet<string> = new Set();
/** How long datagrams wait for an endpoint when the table, of an older manager, does not say. */
const DEFAULT_HOLD: Hold = { ms: 2_000, reason: 'it has no running replica' };

export interface UdpPortOptions {
  readonly host: string;
  readonly publishedPort: number;
  readonly clock: Clock;
  /** ms for which a datagram is tried that each endpoint refuses. */
  readonly budget: number;
  /** The port's route in the present table. */
  readonly route: () => Route | undefined;
  readonly open: (endpoint: Endpoint, events: LinkEvents) => DatagramLink;
  /** Called when the error of the binding changed. */
  readonly onChange: () => void;
}

interface UdpClient extends UdpAddress {
  readonly client: string;
}

/** One client's datagrams to one endpoint. A client that moves gets a new one. */
interface UdpSession extends UdpClient {
  readonly route: Route;
  readonly endpoint: Endpoint;
  readonly activity: UdpActivity;
  readonly link: DatagramLink;
  /** Held while it is in flight. */
  lease: Lease | undefined;
  /** The last datagrams, oldest first, until an answer shows that the endpoint is there. */
  readonly undelivered: Undelivered[];
  /** The port, as the last table had it, to which `state` belongs. */
  seen: PublishedPort;
  state: Endpoint['state'] | 'gone';
  drainingSince: number | undefined;
  /** When another took its place, ms since the epoch. */
  leftAt: number | undefined;
}

/**
 * One published udp port of this node: its socket, and a session for each client (address and port).
 *
 * Invariants: a client has at most one session that takes its datagrams; a session that is in flight
 * holds a lease of its endpoint; `#sessions` is in the order of the last datagram, oldest first.
 */
export class UdpPort {
  readonly #options: UdpPortOptions;
  readonly #binding: UdpBinding;
  readonly #sessions = new Map<string, UdpSession>();
  /** Replaced ones, which still relay answers. */
  readonly #leaving = new Set<UdpSession>();
  readonly #busy = new Set<UdpSession>();
  readonly #waiting = new UdpWaiting<UdpClient>();
  readonly #retries: UdpRetries<UdpClient>;
  /** Since when there is no endpoint at all, while datagrams wait for one; ms since the epoch. */
  #emptySince: number | undefined;
  #unwatchRoute: (() => void) | undefined;
  #cancelSweep: () => void = () => undefined;
  #sweepAt = Infinity;
  /** Set while it takes no datagrams of clients any more and waits for the last answers. */
  #onRetired: (() => void) | undefined;
  /** Another process, once the port is handed over. */
  #successor: UdpSuccessor | undefined;

  constructor(options: UdpPortOptions, adopted?: Socket) {
    this.#options = options;
    const { host, publishedPort: port, clock, budget, onChange } = options;
    const onDatagram = (datagram: Buffer, client: UdpAddress): void => {
      this.serve(datagram, client);
    };
    const onDue = (from: UdpClient, undelivered: Undelivered): void => {
      const route = options.route();
      if (route !== undefined && this.#onRetired === undefined) this.#route(route, from, undelivered);
    };
    this.#retries = new UdpRetries({ clock, budget, onDue });
    this.#binding = new UdpBinding({ host, port, clock, onDatagram, onChange }, adopted);
  }

  get attempted(): Promise<void> {
    return this.#binding.attempted;
  }

  get error(): string | undefined {
    return this.#binding.error;
  }

  get socket(): Socket | undefined {
    return this.#binding.socket;
  }

  /** Sessions of clients, those that only relay late answers among them. */
  get open(): number {
    return this.#sessions.size + this.#leaving.size;
  }

  /** The port is no longer published: answers that are owed still reach their clients, then it closes and calls `onRetired`. */
  retire(onRetired: () => void): void {
    this.#onRetired = onRetired;
    this.#stopWaiting();
    this.#retries.clear();
    const now = this.#options.clock.now();
    for (const session of [...this.#sessions.values()]) this.#leave(session, now);
    this.#sweepWithin(0);
  }

  /** As `retire`, since another process serves the port now. It gets all that was read here and not delivered. */
  handOver(successor: UdpSuccessor, onRetired: () => void): void {
    this.#successor = successor;
    const route = this.#options.route();
    const waiting = route === undefined ? [] : this.#waiting.take(this.#waitingFacts(route));
    for (const { client, datagram } of [...waiting, ...this.#retries.take()]) successor.serve(datagram, client);
    this.#binding.close();
    this.retire(onRetired);
  }

  /** It is published again. */
  revive(): void {
    this.#onRetired = undefined;
  }

  close(): void {
    this.#binding.close();
    this.#cancelSweep();
    this.#stopWaiting();
    this.#retries.clear();
    for (const session of [...this.#sessions.values(), ...this.#leaving]) this.#end(session);
  }

  /** Sends a client an answer. */
  answer(datagram: Buffer, client: UdpAddress): void {
    if (this.#successor === undefined) this.#binding.send(datagram, client.address, client.port);
    else this.#successor.answer(datagram, client);
  }

  /** Passes on a datagram of a client. */
  serve(datagram: Buffer, { address, port }: UdpAddress): void {
    const route = this.#options.route();
    if (route === undefined || this.#onRetired !== undefined) return;
    const arrivedAt = this.#options.clock.now();
    const from = { client: `${address} ${port}`, address, port };
    this.#route(route, from, { datagram, arrivedAt, refusedBy: NOBODY, rounds: 0 });
  }

  #route(route: Route, from: UdpClient, undelivered: Undelivered): void {
    const now = this.#options.clock.now();
    const known = this.#sessions.get(from.client);
    if (known !== undefined) this.#look(known, now);
    const verdict = judgeDatagram(known, now);
    if (known !== undefined && verdict.kind === 'keep') {
      this.#relay(known, undelivered, now);
      return;
    }
    if (known !== undefined) this.#leave(known, now);
    this.#begin(route, from, undelivered, now);
  }

  /** Brings what the session knows of its endpoint up to the present table. */
  #look(session: UdpSession, now: number): void {
    const { route } = session;
    if (session.seen !== route.port) {
      session.seen = route.port;
      session.state = route.stateOf(session.endpoint) ?? 'gone';
    }
    if (session.state === 'draining') session.drainingSince ??= now;
    else session.drainingSince = undefined;
  }

  /** Without room for another session the datagram is dropped: who needs an answer asks again. */
  #begin(route: Route, from: UdpClient, undelivered: Undelivered, now: number): void {
    if (this.#sessions.size >= MOST_SESSIONS) {
      const evicted = chooseEvicted(this.#sessions.values(), now);
      if (evicted === undefined) return;
      this.#end(evicted);
    }
    const { refusedBy } = undelivered;
    const lease = route.claim({ tried: refusedBy, affinity: route.sticky?.ofAddress(from.address) });
    if (lease === undefined) {
      if (isServed(route)) this.#retries.add(from, undelivered);
      else this.#wait(route, from, undelivered.datagram);
      return;
    }
    const { endpoint } = lease;
    const link = this.#options.open(endpoint, {
      onDatagram: (answer) => {
        this.#onAnswer(session, answer);
      },
      onRefused: () => {
        this.#onRefused(session);
      },
      onEnding: () => {
        if (this.#isCurrent(session)) this.#leave(session, this.#options.clock.now());
      },
    });
    const session: UdpSession = {
      ...from,
      route,
      endpoint,
      link,
      activity: new UdpActivity(now),
      lease,
      undelivered: [],
      seen: route.port,
      state: route.stateOf(endpoint) ?? 'gone',
      drainingSince: undefined,
      leftAt: undefined,
    };
    this.#busy.add(session);
    this.#relay(session, undelivered, now);
  }

  /** The datagram waits for an endpoint; each new table is asked for one. */
  #wait(route: Route, { client, address, port }: UdpClient, datagram: Buffer): void {
    this.#waiting.add({ client, address, port }, datagram, this.#waitingFacts(route));
    if (this.#waiting.isEmpty) return;
    this.#unwatchRoute ??= route.onChange(() => {
      const facts = this.#waitingFacts(route);
      if (!isServed(route)) return;
      const entries = this.#waiting.take(facts);
      this.#stopWaiting();
      for (const { client: from, datagram: waited } of entries) this.serve(waited, from);
    });
  }

  #waitingFacts(route: Route): WaitingFacts {
    const now = this.#options.clock.now();
    this.#emptySince = route.hasDraining() ? undefined : (this.#emptySince ?? now);
    return { hold: route.port.hold ?? DEFAULT_HOLD, emptySince: this.#emptySince, now };
  }

  #stopWaiting(): void {
    this.#waiting.clear();
    this.#unwatchRoute?.();
    this.#unwatchRoute = undefined;
    this.#emptySince = undefined;
  }

  #relay(session: UdpSession, undelivered: Undelivered, now: number): void {
    const { datagram } = undelivered;
    session.activity.sent(now);
    if (datagram.length <= LARGEST_KEPT && session.undelivered.push(undelivered) > MOST_KEPT)
      session.undelivered.shift();
    this.#touch(session);
    session.link.send(datagram);
  }

  #onAnswer(session: UdpSession, answer: Buffer): void {
    if (!session.activity.wasAnswered) session.route.connected(session.endpoint);
    session.undelivered.length = 0;
    session.activity.answered(this.#options.clock.now());
    if (session.leftAt === undefined) this.#touch(session);
    this.answer(answer, session);
  }

  #onRefused(session: UdpSession): void {
    const { route, endpoint, undelivered } = session;
    this.#end(session);
    route.refused(endpoint);
    const { client, address, port } = session;
    const from = { client, address, port };
    for (const each of undelivered) {
      const refusedBy = new Set([...each.refusedBy, endpoint.taskId]);
      if (this.#successor !== undefined) this.#successor.serve(each.datagram, from);
      else if (this.#onRetired !== undefined) return;
      else if (refusedBy.size >= ENDPOINTS_PER_ROUND) this.#retries.add(from, each);
      else this.#route(route, from, { ...each, refusedBy });
    }
  }

  /** A datagram passed: it is the youngest, and in flight. */
  #touch(session: UdpSession): void {
    this.#sessions.delete(session.client);
    this.#sessions.set(session.client, session);
    if (session.lease === undefined) {
      session.lease = session.route.resume(session.endpoint);
      this.#busy.add(session);
    }
    this.#sweepWithin(BUSY_PERIOD);
  }

  #isCurrent(session: UdpSession): boolean {
    return this.#sessions.get(session.client) === session;
  }

  /** Takes no more datagrams of its client; answers still reach it until nothing is in flight. */
  #leave(session: UdpSession, now: number): void {
    this.#sessions.delete(session.client);
    session.leftAt = now;
    this.#leaving.add(session);
    this.#sweepWithin(BUSY_PERIOD);
  }

  #end(session: UdpSession): void {
    if (this.#isCurrent(session)) this.#sessions.delete(session.client);
    this.#leaving.delete(session);
    this.#release(session);
    session.link.close();
  }

  #release(session: UdpSession): void {
    this.#busy.delete(session);
    session.lease?.release();
    session.lease = undefined;
  }

  #sweepWithin(ms: number): void {
    const { clock } = this.#options;
    const at = clock.now() + ms;
    if (at >= this.#sweepAt) return;
    this.#cancelSweep();
    this.#sweepAt = at;
    this.#cancelSweep = clock.schedule(ms, () => {
      this.#sweepAt = Infinity;
      this.#sweep(clock.now());
      if (this.#onRetired !== undefined && this.#leaving.size === 0) {
        this.close();
        this.#onRetired();
        return;
      }
      if (this.#busy.size + this.#leaving.size > 0) this.#sweepWithin(BUSY_PERIOD);
      else if (this.#sessions.size > 0) this.#sweepWithin(IDLE_PERIOD);
    });
  }

  /** Gives back what is no longer in flight, ends what is over. */
  #sweep(now: number): void {
    for (const session of this.#leaving) {
      if (!session.activity.isBusy(now) || now - (session.leftAt ?? 0) >= LINGER) this.#end(session);
    }
    for (const session of this.#busy) if (!session.activity.isBusy(now)) this.#release(session);
    for (const session of this.#sessions.values()) {
      if (!session.activity.isIdle(now, session.route.port.udpTimeout ?? DEFAULT_TIMEOUT)) break;
      this.#end(session);
    }
  }
}

const isServed = (route: Route): boolean => route.port.endpoints.some(({ state }) => state === 'active');
