import type { Endpoint } from '../../proto/endpoint-table.js';

/** Why an endpoint may be passed over for now; all are advice but `tried`. */
export interface PickContext {
  /** Task ids that this connection already dialled in vain: never picked again. */
  readonly tried: ReadonlySet<string> | undefined;
  /** Ids of nodes towards which a dial of this connection timed out; see stalled-nodes.ts. */
  readonly stalled: ReadonlySet<string> | undefined;
  /** Refused a dial a moment ago. */
  isEjected(endpoint: Endpoint): boolean;
}

const UNTRIED: PickContext = { tried: undefined, stalled: undefined, isEjected: () => false };

/**
 * Round-robin over the endpoints of one published port. The list never changes: a new table makes a
 * new picker, which takes over the rotation point.
 *
 * Invariant: only active endpoints are picked. Whoever waits for a draining one to become idle may
 * count on it. Those of nodes that do not stall come first, and of them those that are not ejected,
 * since an ejected endpoint costs a refusal and a stalled node a time-out. The last one is never left out.
 */
export class Picker {
  readonly endpoints: readonly Endpoint[];
  readonly #active: readonly Endpoint[];
  /** Index into the active ones of the next to be picked; always within them, 0 where there are none. */
  #next: number;

  constructor(endpoints: readonly Endpoint[], start = 0) {
    this.endpoints = endpoints;
    this.#active = endpoints.filter(({ state }) => state === 'active');
    this.#next = this.#active.length === 0 ? 0 : start % this.#active.length;
  }

  /** The picker for a new list of endpoints. The endpoint whose turn it was stays the next, where it is still there. */
  followedBy(endpoints: readonly Endpoint[]): Picker {
    const active = endpoints.filter(({ state }) => state === 'active').map(({ taskId }) => taskId);
    for (let step = 0; step < this.#active.length; step += 1) {
      const waiting = this.#active[(this.#next + step) % this.#active.length];
      const index = waiting === undefined ? -1 : active.indexOf(waiting.taskId);
      if (index >= 0) return new Picker(endpoints, index);
    }
    return new Picker(endpoints, this.#next);
  }

  pick(context: PickContext = UNTRIED): Endpoint | undefined {
    const { tried, stalled } = context;
    const isLeft = ({ taskId }: Endpoint): boolean => tried?.has(taskId) !== true;
    const isPreferred = (endpoint: Endpoint): boolean => isLeft(endpoint) && stalled?.has(endpoint.nodeId) !== true;
    return (
      this.#rotate((endpoint) => isPreferred(endpoint) && !context.isEjected(endpoint)) ??
      this.#rotate(isPreferred) ??
      this.#rotate((endpoint) => isLeft(endpoint) && !context.isEjected(endpoint)) ??
      this.#rotate(isLeft)
    );
  }

  #rotate(accept: (endpoint: Endpoint) => boolean): Endpoint | undefined {
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
