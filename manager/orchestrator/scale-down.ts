import { shallLive } from '../drain/task-wish.js';
import type { TaskObject } from '../store/objects.js';
import type { NodeLookup } from './task-action.js';
import { lossOf } from './stop-task.js';

export interface Slot {
  readonly slot: number;
  readonly tasks: readonly TaskObject[];
}

interface Candidate {
  readonly slot: Slot;
  /** 0 finished, 1 not running yet, 2 running. */
  readonly worth: 0 | 1 | 2;
  /** How many running slots of the service its node holds up to and with this one. */
  readonly place: number;
}

/**
 * The `count` slots that a scale-down takes: those that do not run, then from the nodes that hold
 * most of the service (so that the rest stays spread), then the highest numbers.
 */
export function chooseDoomed(slots: readonly Slot[], count: number, nodeOf: NodeLookup): readonly Slot[] {
  const perNode = new Map<string, number>();
  const candidates = [...slots]
    .sort((a, b) => a.slot - b.slot)
    .map((slot): Candidate => {
      const live = slot.tasks.find(shallLive);
      if (live === undefined) return { slot, worth: 0, place: 0 };
      if (live.status.State !== 'running' || live.nodeId === undefined || lossOf(live, nodeOf) !== undefined) {
        return { slot, worth: 1, place: 0 };
      }
      const place = (perNode.get(live.nodeId) ?? 0) + 1;
      perNode.set(live.nodeId, place);
      return { slot, worth: 2, place };
    });
  // Taking the highest place first is the same as taking from the fullest node again and again.
  return candidates
    .sort((a, b) => a.worth - b.worth || b.place - a.place || b.slot.slot - a.slot.slot)
    .slice(0, count)
    .map((candidate) => candidate.slot);
}
