import type { Clock } from '../../core/clock.js';
import { ControlLoop } from '../../core/control-loop.js';
import type { Logger } from '../../core/logger.js';
import type { Store, Transaction } from '../store/store-types.js';
import { movingOff } from '../updater/node-drain.js';
import { applyActions } from './apply-actions.js';
import { allServices, dirtySlots, parseSlotKey, type SlotKey } from './dirty-slots.js';
import { decideOneSlot, decideService } from './decide-service.js';
import type { Decision } from './task-action.js';

/** Slots filled or emptied for one service in one transaction. */
const BATCH = 1_000;
/** Actions after which a transaction takes no further key, so that a tick stays short. */
const ENOUGH_ACTIONS = 1_000;
/** Keys of one run. */
const LIMIT = 1_000;

export interface OrchestratorOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Keeps every service at its slots and restarts what ends, by the deciders of this room.
 * Starts with a full pass over the store; everything a decision rests on is in the store, so a
 * manager that comes back goes on where the last one ended.
 */
export function startOrchestrator({ store, clock, logger }: OrchestratorOptions): { close(): Promise<void> } {
  const loop = new ControlLoop<SlotKey>({
    name: 'orchestrator',
    clock,
    logger,
    limit: LIMIT,
    run: async (keys) => {
      const decisions = await store.update((tx) => reconcile(tx, keys));
      for (const [key, next] of decisions) {
        if (next === undefined || next.more) loop.mark(key);
        if (next?.wakeAt !== undefined) loop.markAt(key, next.wakeAt);
        if (next !== undefined) report(logger, next);
      }
    },
  });
  const unwatch = store.watch((commit) => {
    for (const change of commit.changes) {
      for (const key of dirtySlots(change, store.view)) loop.mark(key);
    }
  });
  for (const key of allServices(store.view)) loop.mark(key);
  return {
    close: () => {
      unwatch();
      return loop.close();
    },
  };
}

/** Decides and applies key by key; undefined for the keys that did not fit this transaction. */
function reconcile(tx: Transaction, keys: readonly SlotKey[]): ReadonlyMap<SlotKey, Decision | undefined> {
  const decisions = new Map<SlotKey, Decision | undefined>();
  let actions = 0;
  for (const key of keys) {
    const next = actions < ENOUGH_ACTIONS ? decide(tx, key) : undefined;
    if (next !== undefined) applyActions(tx, next.actions);
    actions += next?.actions.length ?? 0;
    decisions.set(key, next);
  }
  return decisions;
}

function decide(tx: Transaction, key: SlotKey): Decision {
  const { serviceId, slot } = parseSlotKey(key);
  const service = tx.get('service', serviceId);
  const nodeOf = (id: string): ReturnType<typeof tx.get<'node'>> => tx.get('node', id);
  const leaving = (nodeId: string): number =>
    movingOff(tx.tasksByNode(nodeId), (task) => tx.tasksBySlot(task.serviceId, task.slot));
  const facts = { nodeOf, movingOff: leaving, now: tx.now };
  const whole = (): Decision =>
    decideService({ service, tasks: tx.tasksByService(serviceId), nodes: tx.all('node'), batch: BATCH, ...facts });
  if (slot === undefined || service === undefined) return whole();
  const tasks = tx.tasksBySlot(serviceId, slot);
  return decideOneSlot({ service, slot, tasks, ...facts }) ?? whole();
}

function report(logger: Logger, { actions }: Decision): void {
  for (const action of actions) {
    const { serviceId, slot } = action.task;
    const line = { service: action.task.serviceName, serviceId, slot, reason: action.reason };
    switch (action.kind) {
      case 'create':
        logger.debug(line, 'task created');
        break;
      case 'wish':
        logger[action.desiredState === 'shutdown' ? 'info' : 'debug'](
          { ...line, taskId: action.task.id, desiredState: action.desiredState },
          'desired state changed',
        );
        break;
      case 'drain':
        logger.info({ ...line, taskId: action.task.id }, 'task drains');
        break;
      case 'amend':
        logger.debug({ ...line, taskId: action.task.id }, 'task noted');
        break;
      case 'lose':
        logger.info({ ...line, taskId: action.task.id }, 'task lost');
        break;
      case 'delete':
        logger.debug({ ...line, taskId: action.task.id }, 'task deleted');
        break;
    }
  }
}
