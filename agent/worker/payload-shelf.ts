import type { Assignment } from '../../proto/assignment.js';
import { neededPayloads, payloadKey, type Payload, type PayloadRef } from '../../proto/payload.js';

export type PayloadLookup = (ref: PayloadRef) => Payload | undefined;

/**
 * The secrets, configs and registry credentials that this node's tasks need, in memory only. The manager sends each once;
 * what no task needs any more is forgotten, by the rule that the manager goes by too.
 */
export class PayloadShelf {
  readonly #payloads = new Map<string, Payload>();

  put(payloads: readonly Payload[]): void {
    for (const payload of payloads) this.#payloads.set(payloadKey(payload), payload);
  }

  readonly get: PayloadLookup = (ref) => this.#payloads.get(payloadKey(ref));

  /** Forgets what none of `tasks`, which are all of this node, needs. */
  keepFor(tasks: Iterable<Assignment>): void {
    if (this.#payloads.size === 0) return;
    const needed = new Set<string>();
    for (const task of tasks) for (const ref of neededPayloads(task)) needed.add(payloadKey(ref));
    for (const key of this.#payloads.keys()) if (!needed.has(key)) this.#payloads.delete(key);
  }
}
