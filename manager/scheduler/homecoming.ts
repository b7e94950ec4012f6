import type { TaskObject } from '../store/objects.js';
import type { Transaction } from '../store/store-types.js';
import { type Assigner, lacksReason, waitingTask } from './assign.js';
import type { Ledger } from './ledger.js';
import type { Placement } from './placement.js';
import { type Homecomer, leftVolumes, placeAtHome } from './place-preferred.js';
import type { Requirement } from './requirement.js';
import { volumeHome } from './volume-home.js';

/** What came of the tasks of one group that have data on some node. */
export interface Homecoming {
  /** These have their node, or wait for it. */
  readonly settled: ReadonlySet<string>;
  readonly placed: readonly Placement[];
  /** Why some wait for the node that has their data. */
  readonly waiting: string | undefined;
  /** Rows written. */
  readonly written: number;
  /** The placement of a task, with what it leaves behind elsewhere. */
  readonly complete: (placement: Placement) => Placement;
}

type Rows = Pick<Transaction, 'now' | 'get' | 'put' | 'tasksBySlot'>;

/** Tasks with volumes that wait, in the order in which they shall get their nodes. */
interface VolumeGroup {
  readonly requirement: Requirement;
  readonly tasks: readonly TaskObject[];
}

/**
 * Sends the tasks of a group that have volumes back to the nodes with their data, as far as these take
 * them. Done before the pool of the pass is asked for, which counts what they take.
 */
export function sendHome(
  tx: Rows,
  { tasks, requirement }: VolumeGroup,
  { ledger, suspects }: { readonly ledger: Ledger; readonly suspects: ReadonlySet<string> },
  assigner: Assigner,
  budget: number,
): Homecoming {
  const settled = new Set<string>();
  const placed: Placement[] = [];
  const left = new Map<string, { readonly homecomer: Homecomer; readonly cause: string }>();
  let waiting: string | undefined;
  let written = 0;
  for (const task of tasks) {
    const slot = tx.tasksBySlot(task.serviceId, task.slot);
    const home = volumeHome(task, slot);
    if (home === undefined) continue;
    const homecomer: Homecomer = { task, home, requirement, slot };
    const decision = placeAtHome(homecomer, { node: tx.get('node', home.nodeId), ledger, suspects });
    switch (decision.kind) {
      case 'place':
        settled.add(task.id);
        // Beyond the budget it is left for the next pass, and goes nowhere else meanwhile.
        if (written >= budget) break;
        assigner.assign(task, decision.placement);
        placed.push(decision.placement);
        written += 1;
        break;
      case 'wait':
        settled.add(task.id);
        waiting = decision.reason;
        if (written >= budget || !lacksReason(task, decision.reason)) break;
        tx.put('task', waitingTask(task, { reason: decision.reason, held: true }, tx.now));
        written += 1;
        break;
      case 'elsewhere':
        left.set(task.id, { homecomer, cause: decision.cause });
        break;
    }
  }
  return {
    settled,
    placed,
    waiting,
    written,
    complete: (placement) => {
      const found = left.get(placement.taskId);
      if (found === undefined) return placement;
      const { homecomer, cause } = found;
      const { reason } = placement;
      return { ...placement, reason, volumesLeft: leftVolumes(homecomer, cause, tx.get('node', placement.nodeId)) };
    },
  };
}
