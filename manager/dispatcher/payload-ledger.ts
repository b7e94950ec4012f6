import type { Assignment } from '../../proto/assignment.js';
import { neededPayloads, payloadKey, type PayloadRef } from '../../proto/payload.js';

/**
 * Which payloads the node of a session holds. The agent forgets what none of its tasks needs, by the
 * same rule, so both ends agree and each payload travels once.
 */
export class PayloadLedger {
  readonly #needed = new Map<string, readonly PayloadRef[]>();

  /** Takes a change of the node's tasks in; returns what the node needs now and did not hold. */
  change(set: readonly Assignment[], remove: readonly string[]): readonly PayloadRef[] {
    const held = new Set([...this.#needed.values()].flatMap((refs) => refs.map(payloadKey)));
    for (const taskId of remove) this.#needed.delete(taskId);
    const missing = new Map<string, PayloadRef>();
    for (const assignment of set) {
      const refs = neededPayloads(assignment);
      if (refs.length === 0) this.#needed.delete(assignment.taskId);
      else this.#needed.set(assignment.taskId, refs);
      for (const ref of refs) if (!held.has(payloadKey(ref))) missing.set(payloadKey(ref), ref);
    }
    return [...missing.values()];
  }
}
