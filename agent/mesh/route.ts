import type { Endpoint, PublishedPort } from '../../proto/endpoint-table.js';
import type { Affinity } from './affinity.js';
import { endpointKey } from './endpoint-key.js';
import type { Ejections } from './ejections.js';
import type { InFlight, InFlightCounter } from './in-flight.js';
import { Picker, type PickContext } from './picker.js';
import { Stickiness } from './stickiness.js';

/** The right to use one endpoint once. While it is held, the endpoint counts as busy. */
export class Lease {
  readonly endpoint: Endpoint;
  readonly #inFlight: InFlight;
  #counter: InFlightCounter | undefined;

  constructor(endpoint: Endpoint, inFlight: InFlight) {
    this.endpoint = endpoint;
    this.#inFlight = inFlight;
    this.#counter = inFlight.enter(endpoint.taskId);
  }

  /** Gives it back; only the first call counts. */
  release(): void {
    const counter = this.#counter;
    if (counter === undefined) return;
    this.#counter = undefined;
    this.#inFlight.leave(counter);
  }
}

/** What is known of the one who claims. */
export interface Claimant {
  /** Task ids that it dialled in vain. */
  readonly tried?: ReadonlySet<string> | undefined;
  /** Ids of nodes to avoid while there are others. */
  readonly stalled?: ReadonlySet<string> | undefined;
  /** Where it belongs; heeded on sticky ports alone. */
  readonly affinity?: Affinity | undefined;
}

export interface RouteOptions {
  readonly inFlight: InFlight;
  readonly ejections: Ejections;
  /** ms since the epoch. */
  readonly now: () => number;
  /** Where the rotation of a new route begins, so that the nodes do not all begin with the same replica. */
  readonly start: number;
}

const NOBODY: Claimant = {};

/**
 * One published port; each table swaps its picker in one step.
 */
export class Route {
  readonly publishedPort: number;
  readonly #options: RouteOptions;
  #port: PublishedPort;
  #picker: Picker;
  #sticky: Stickiness | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(port: PublishedPort, options: RouteOptions) {
    this.publishedPort = port.publishedPort;
    this.#options = options;
    this.#port = port;
    this.#picker = new Picker(port.endpoints, options.start, port.balance);
    this.#sticky = stickinessOf(port);
  }

  get port(): PublishedPort {
    return this.#port;
  }

  /** How clients are known again; undefined where any replica will do. */
  get sticky(): Stickiness | undefined {
    return this.#sticky;
  }

  update(port: PublishedPort): void {
    this.#port = port;
    this.#picker = this.#picker.followedBy(port.endpoints, port.balance);
    this.#sticky = stickinessOf(port, this.#sticky);
    for (const listener of [...this.#listeners]) listener();
  }

  /** The port is no longer published: connections that are open end on their own, new requests on them find nothing. */
  unpublish(): void {
    this.update({ ...this.#port, endpoints: [], hold: { ms: 0, reason: 'the port is no longer published' } });
  }

  /** Calls `listener` after each change of the endpoints; the returned function unsubscribes. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Picks an endpoint and registers it as in flight, in one synchronous step: whoever swaps the table
   * afterwards sees the claim counted. Undefined when there is no active one that was not tried.
   */
  claim(claimant: Claimant = NOBODY): Lease | undefined {
    const { ejections, inFlight } = this.#options;
    const { tried, stalled } = claimant;
    const isPlain =
      this.#port.balance === undefined && tried === undefined && stalled === undefined && ejections.size === 0;
    const endpoint = this.#picker.pick(isPlain ? undefined : this.#context(claimant));
    return endpoint === undefined ? undefined : new Lease(endpoint, inFlight);
  }

  /** Counts an endpoint that was picked before as in flight once more. */
  resume(endpoint: Endpoint): Lease {
    return new Lease(endpoint, this.#options.inFlight);
  }

  refused(endpoint: Endpoint): void {
    this.#options.ejections.refused(this.#key(endpoint), this.#options.now());
  }

  connected(endpoint: Endpoint): void {
    this.#options.ejections.connected(this.#key(endpoint));
  }

  /** Whether new work may still go to this endpoint. */
  isActive(endpoint: Endpoint): boolean {
    return this.stateOf(endpoint) === 'active';
  }

  /** Its state in the present table; undefined when it is not there. */
  stateOf({ taskId, targetPort }: Endpoint): Endpoint['state'] | undefined {
    return this.#picker.endpoints.find(
      (candidate) => candidate.taskId === taskId && candidate.targetPort === targetPort,
    )?.state;
  }

  hasDraining(): boolean {
    return this.#picker.endpoints.some(({ state }) => state === 'draining');
  }

  #context({ tried, stalled, affinity }: Claimant): PickContext {
    const { ejections, inFlight, now } = this.#options;
    const time = now();
    return {
      tried,
      stalled,
      affinity,
      isEjected: (endpoint) => ejections.isEjected(this.#key(endpoint), time),
      loadOf: ({ taskId }) => inFlight.of(taskId),
    };
  }

  #key(endpoint: Endpoint): string {
    return endpointKey(endpoint, this.#port.protocol);
  }
}

const stickinessOf = (port: PublishedPort, before?: Stickiness): Stickiness | undefined =>
  port.balance === 'sticky' ? new Stickiness(port, before) : undefined;
