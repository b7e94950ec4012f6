import type { Endpoint } from '../../proto/endpoint-table.js';
import { errorMessage } from '../../core/errors.js';
import { resetStream, type ByteStream } from './byte-stream.js';
import { DialError, type DialFailure } from './dial-error.js';
import { judgeHold } from './hold.js';
import type { Affinity } from './affinity.js';
import type { Lease, Route } from './route.js';
import { stalledAfter } from './stalled-nodes.js';
import { WaitingRoom, type WaitingClient } from './waiting-room.js';

/** A stream to an endpoint that is counted as busy until `lease` is released. */
export interface Connected {
  readonly lease: Lease;
  readonly stream: ByteStream;
}

export interface NotConnected {
  /** `none`: the service has no active endpoint, or too many wait for one already. */
  readonly failure: DialFailure | 'none';
  readonly message: string;
}

/** A round in vain, and the nodes that were found to stall so far. */
interface Failed {
  readonly result: NotConnected;
  readonly stalled: ReadonlySet<string>;
}

export type Connection = Connected | NotConnected;

export const isConnected = (connection: Connection): connection is Connected => 'stream' in connection;

/** Who asks for a connection. */
export interface Asker {
  /** A claim that it has already: the first dial goes to its endpoint. */
  readonly lease?: Lease | undefined;
  /** Where it belongs, on a sticky port. */
  readonly affinity?: Affinity | undefined;
}

export interface ConnectorOptions {
  readonly dial: (endpoint: Endpoint, timeout: number) => Promise<ByteStream>;
  /** ms for dials and retries while there are active endpoints. */
  readonly budget: number;
  /** The most connections that may wait, for a replica or for the next round; more are refused at once. */
  readonly mostWaiting: number;
}

/** Distinct endpoints tried in a row before a pause. */
const ENDPOINTS_PER_ROUND = 3;
/** ms a dial may take at least before another endpoint is tried. */
const SHORTEST_DIAL = 300;
/** ms between two rounds; doubled each time. A change of the endpoints ends the pause. */
const FIRST_PAUSE = 50;
const NONE: ReadonlySet<string> = new Set();
const GONE: NotConnected = { failure: 'refused', message: 'the client went away' };

/**
 * Finds an endpoint that answers. While there are active ones: rounds of up to three distinct ones,
 * those of nodes that stall last, then a short pause, until the budget is used up. While there is
 * none: waits for one as long as the table says. So a service whose only replica is being replaced
 * shows no error, and a dead one is told within the budget.
 */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #room: WaitingRoom;

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#room = new WaitingRoom(options.mostWaiting);
  }

  /** What is waiting now. */
  get waiting(): number {
    return this.#room.size;
  }

  /**
   * What was dialled for a client that is gone is closed again, and one that goes while it waits
   * leaves at once. Never rejects.
   */
  async connect(route: Route, client: WaitingClient, { lease, affinity }: Asker = {}): Promise<Connection> {
    const { budget } = this.#options;
    const arrivedAt = performance.now();
    let given = stillActive(route, lease);
    let emptySince: number | undefined;
    /** When the budget for dials ends; undefined while nothing can be dialled. */
    let deadline: number | undefined;
    let pause = FIRST_PAUSE;
    let stalled: ReadonlySet<string> = NONE;
    while (!client.destroyed) {
      let refusal: NotConnected;
      let until: number;
      const next = given ?? route.claim({ stalled: stalled.size === 0 ? undefined : stalled, affinity });
      given = undefined;
      if (next !== undefined) {
        deadline ??= performance.now() + budget;
        const round = await this.#round(route, client, deadline, { lease: next, affinity }, stalled);
        if ('stream' in round) return round;
        if (performance.now() >= deadline) return round.result;
        refusal = round.result;
        stalled = round.stalled;
        until = Math.min(deadline, performance.now() + pause);
        pause *= 2;
        emptySince = undefined;
      } else {
        deadline = undefined;
        pause = FIRST_PAUSE;
        const now = performance.now();
        emptySince = route.hasDraining() ? undefined : (emptySince ?? now);
        const { hold = { ms: budget, reason: 'it has no running replica' } } = route.port;
        const verdict = judgeHold({ hold, arrivedAt, emptySince, now });
        if (verdict.kind === 'refuse') return { failure: 'none', message: verdict.reason };
        refusal = { failure: 'none', message: `${verdict.reason}, and too many clients wait for one already` };
        until = verdict.until;
      }
      if (!(await this.#room.wait(route, client, until))) return refusal;
    }
    given?.release();
    return GONE;
  }

  async #round(
    route: Route,
    client: WaitingClient,
    deadline: number,
    { lease: first, affinity }: Asker & { readonly lease: Lease },
    stalledBefore: ReadonlySet<string>,
  ): Promise<Connected | Failed> {
    const tried = new Set<string>();
    const most = Math.min(ENDPOINTS_PER_ROUND, route.port.endpoints.length);
    let result: NotConnected = GONE;
    let stalled = stalledBefore;
    for (
      let lease: Lease | undefined = first;
      lease !== undefined;
      lease = tried.size < most ? route.claim({ tried, stalled, affinity }) : undefined
    ) {
      const { endpoint } = lease;
      const left = deadline - performance.now();
      const share = left / Math.max(1, most - tried.size);
      try {
        const stream = await this.#options.dial(endpoint, Math.max(1, Math.min(left, Math.max(SHORTEST_DIAL, share))));
        route.connected(endpoint);
        if (!client.destroyed) return { lease, stream };
        resetStream(stream);
        lease.release();
        return { result: GONE, stalled };
      } catch (error) {
        lease.release();
        route.refused(endpoint);
        tried.add(endpoint.taskId);
        const failure = error instanceof DialError ? error.failure : 'unreachable';
        stalled = stalledAfter(stalled, endpoint, failure);
        result = { failure, message: errorMessage(error) };
      }
      if (client.destroyed || deadline - performance.now() <= 0) break;
    }
    return { result, stalled };
  }
}

/** A lease that was taken earlier, unless its endpoint began to drain since: then it is given back. */
function stillActive(route: Route, lease: Lease | undefined): Lease | undefined {
  if (lease === undefined || route.isActive(lease.endpoint)) return lease;
  lease.release();
  return undefined;
}
