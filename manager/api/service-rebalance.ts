import type { Logger } from '../../core/logger.js';
import type { RebalanceDocument } from '../../proto/engine/service-document.js';
import { replicasOf } from '../orchestrator/replicated.js';
import { nameOf } from '../scheduler/filters.js';
import type { NodeObject } from '../store/objects.js';
import type { Store } from '../store/store-types.js';
import type { RebalanceMove } from '../updater/balance.js';
import { decideRebalance, requestedMoves } from '../updater/rebalance.js';
import { isRolling } from '../updater/rollout-config.js';
import { failedPrecondition } from './api-errors.js';
import { findService } from './lookup.js';

/**
 * `POST /bale/services/{id}/rebalance`: marks the surplus tasks, which the updater then moves one by
 * one. Throws BALE_REBALANCE_MODE, or BALE_ROLLOUT_RUNNING while the service is being updated: that
 * places its tasks anew anyway.
 */
export async function rebalanceService(store: Store, logger: Logger, id: string): Promise<RebalanceDocument> {
  const { serviceId, moves } = await store.update((tx) => {
    const service = findService(tx, id);
    if (replicasOf(service.spec.Mode) === undefined) {
      throw failedPrecondition(`service ${service.id} is not replicated`, 'BALE_REBALANCE_MODE');
    }
    if (isRolling(service)) {
      const words = `service ${service.id} is being updated; rebalance it when the update has ended`;
      throw failedPrecondition(words, 'BALE_ROLLOUT_RUNNING');
    }
    const tasks = tx.tasksByService(service.id);
    const decided = decideRebalance({ service, tasks, allTasks: tx.all('task'), nodes: tx.all('node') });
    for (const row of requestedMoves(tasks, decided, tx.now)) tx.put('task', row);
    return { serviceId: service.id, moves: decided };
  });
  logger.info({ service: serviceId, moves: moves.length }, 'service rebalanced');
  return { moves: moves.map(moveDocument) };
}

const moveDocument = ({ task, from, to, reason }: RebalanceMove): RebalanceDocument['moves'][number] => ({
  taskId: task.id,
  slot: task.slot,
  from: placeOf(from),
  to: placeOf(to),
  reason,
});

const placeOf = (node: NodeObject): { nodeId: string; hostname: string } => ({
  nodeId: node.id,
  hostname: nameOf(node),
});
