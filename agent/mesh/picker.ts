import type { Endpoint, PublishedPort } from '../../proto/endpoint-table.js';
import { favourite, type Affinity } from './affinity.js';

/** Why an endpoint may be passed over for now, all advice but `tried`; and what the choice of the port goes by. */
export interface PickContext {
  /** Task ids that this connection already dialled in vain: never picked again. */
  readonly tried: ReadonlySet<string> | undefined;
  /** Ids of nodes towards which a dial of this connection timed out; see stalled-nodes.ts. */
  readonly stalled: ReadonlySet<string> | undefined;
  /** Where the client of a sticky port belongs; one that belongs nowhere yet gets the endpoint whose turn it is. */
  readonly affinity: Affinity | undefined;
  /** Refused a dial a moment ago. */
  isEjected(endpoint: Endpoint): boolean;
  /** What this mesh has under way at its task. */
  loadOf(endpoint: Endpoint): number;
}

const PLAIN: PickContext = {
  tried: undefined,
  stalled: undefined,
  affinity: undefined,
  isEjected: () => false,
  loadOf: () => 0,
};

type Accept = (endpoint: Endpoint) => boolean;

/**
 * Chooses among the endpoints of one published port. The list never changes: a new table makes a
 * new picker, which takes over the rotation point.
 *
 * Invariant: only active endpoints are picked, whatever the client belongs to. Whoever waits for a
 * draining one to become idle may count on it. Those of nodes that do not stall come first, and of
 * them those that are not ejected, since an ejected endpoint costs a refusal and a stalled node a
 * time-out. The last one is never left out. Within that order `balance` decides.
 */
export class Picker {
  readonly endpoints: readonly Endpoint[];
  readonly #active: readonly Endpoint[];
  readonly #balance: PublishedPort['balance'];
  /** Index into the active ones of the next to be picked; always within them, 0 where there are none. */
  #next: number;

  constructor(endpoints: readonly Endpoint[], start = 0, balance?: PublishedPort['balance']) {
    this.endpoints = endpoints;
    this.#active = endpoints.filter(({ state }) => state === 'active');
    this.#balance = balance;
    this.#next = this.#active.length === 0 ? 0 : start % this.#active.length;
  }

  /** The picker for a new list of endpoints. The endpoint whose turn it was stays the next, where it is still there. */
  followedBy(endpoints: readonly Endpoint[], balance?: PublishedPort['balance']): Picker {
    const active = endpoints.filter(({ state }) => state === 'active').map(({ taskId }) => taskId);
    for (let step = 0; step < this.#active.length; step += 1) {
      const waiting = this.#active[(this.#next + step) % this.#active.length];
      const index = waiting === undefined ? -1 : active.indexOf(waiting.taskId);
      if (index >= 0) return new Picker(endpoints, index, balance);
    }
    return new Picker(endpoints, this.#next, balance);
  }

  pick(context: PickContext = PLAIN): Endpoint | undefined {
    const { tried, stalled } = context;
    const isLeft = ({ taskId }: Endpoint): boolean => tried?.has(taskId) !== true;
    const isPreferred = (endpoint: Endpoint): boolean => isLeft(endpoint) && stalled?.has(endpoint.nodeId) !== true;
    return (
      this.#choose((endpoint) => isPreferred(endpoint) && !context.isEjected(endpoint), context) ??
      this.#choose(isPreferred, context) ??
      this.#choose((endpoint) => isLeft(endpoint) && !context.isEjected(endpoint), context) ??
      this.#choose(isLeft, context)
    );
  }

  #choose(accept: Accept, { affinity, loadOf }: PickContext): Endpoint | undefined {
    switch (this.#balance) {
      case undefined:
        return this.#rotate(accept);
      case 'least-connections': {
        const least = this.#active.filter(accept).reduce((min, each) => Math.min(min, loadOf(each)), Infinity);
        return this.#rotate((endpoint) => accept(endpoint) && loadOf(endpoint) === least);
      }
      case 'sticky':
        return (
          (affinity === undefined ? undefined : favourite(affinity, this.#active.filter(accept))) ??
          this.#rotate(accept)
        );
    }
  }

  #rotate(accept: Accept): Endpoint | undefined {
    const count = this.#active.length;
    for (let step = 0; step < count; step += 1) {
      const index = (this.#next + step) % count;
      const endpoint = this.#active[index];
      if (endpoint === undefined || !accept(endpoint)) continue;
      this.#next = (index + 1) % count;
      return endpoint;
    }
    return undefined;
  }
}
