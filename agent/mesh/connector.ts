import type { Endpoint } from '../../proto/endpoint-table.js';
import { errorMessage } from '../../core/errors.js';
import { resetStream, type ByteStream } from './byte-stream.js';
import { DialError, type DialFailure } from './dial-error.js';
import type { Lease, Route } from './route.js';

/** A stream to an endpoint that is counted as busy until `lease` is released. */
export interface Connected {
  readonly lease: Lease;
  readonly stream: ByteStream;
}

export interface NotConnected {
  /** `none`: the service has no endpoint at all. */
  readonly failure: DialFailure | 'none';
  readonly message: string;
}

export type Connection = Connected | NotConnected;

export const isConnected = (connection: Connection): connection is Connected => 'stream' in connection;

export interface ConnectorOptions {
  readonly dial: (endpoint: Endpoint, timeout: number) => Promise<ByteStream>;
  /** ms for everything: dials, retries and waiting for a replica. */
  readonly budget: number;
  /** The most connections that may wait for a replica; more are refused at once. */
  readonly mostWaiting: number;
}

/** Distinct endpoints tried in a row before a pause. */
const ENDPOINTS_PER_ROUND = 3;
/** ms a dial may take at least before another endpoint is tried. */
const SHORTEST_DIAL = 300;
/** ms between two rounds; doubled each time. A change of the endpoints ends the pause. */
const FIRST_PAUSE = 50;

/**
 * Finds an endpoint that answers. Rounds of up to three distinct endpoints, then a short pause, until
 * the budget is used up: so a service whose only replica is just being replaced shows no error, and a
 * dead one is told within the budget.
 */
export class Connector {
  readonly #options: ConnectorOptions;
  #waiting = 0;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /**
   * `client.destroyed` is looked at between dials; what was dialled for one that is gone is closed again.
   * With `lease` the first dial goes to its endpoint. Never rejects.
   */
  async connect(route: Route, client: { readonly destroyed: boolean }, lease?: Lease): Promise<Connection> {
    const deadline = performance.now() + this.#options.budget;
    let last: NotConnected = { failure: 'none', message: 'it has no running replica' };
    for (let between = FIRST_PAUSE; !client.destroyed; between *= 2) {
      const result = await this.#round(route, client, deadline, last, lease ?? route.claim());
      if (isConnected(result)) return result;
      last = result;
      lease = undefined;
      const left = deadline - performance.now();
      if (left <= 0 || this.#waiting >= this.#options.mostWaiting) return last;
      this.#waiting += 1;
      await changeOrPause(route, Math.min(between, left));
      this.#waiting -= 1;
    }
    lease?.release();
    return last;
  }

  async #round(
    route: Route,
    client: { readonly destroyed: boolean },
    deadline: number,
    before: NotConnected,
    first: Lease | undefined,
  ): Promise<Connection> {
    const tried = new Set<string>();
    const most = Math.min(ENDPOINTS_PER_ROUND, route.port.endpoints.length);
    let result = before;
    for (let lease = first; lease !== undefined; lease = tried.size < most ? route.claim(tried) : undefined) {
      const { endpoint } = lease;
      const left = deadline - performance.now();
      const share = left / Math.max(1, most - tried.size);
      try {
        const stream = await this.#options.dial(endpoint, Math.max(1, Math.min(left, Math.max(SHORTEST_DIAL, share))));
        route.connected(endpoint);
        if (!client.destroyed) return { lease, stream };
        resetStream(stream);
        lease.release();
        return { failure: 'refused', message: 'the client went away' };
      } catch (error) {
        lease.release();
        route.refused(endpoint);
        tried.add(endpoint.taskId);
        result = {
          failure: error instanceof DialError ? error.failure : 'unreachable',
          message: errorMessage(error),
        };
      }
      if (client.destroyed || deadline - performance.now() <= 0) break;
    }
    return result;
  }
}

function changeOrPause(route: Route, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      unsubscribe();
      resolve();
    };
    const timer = setTimeout(done, ms);
    const unsubscribe = route.onChange(done);
  });
}
