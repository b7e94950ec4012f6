import { timestamp, type Clock } from '../../core/clock.js';
import { ControlLoop } from '../../core/control-loop.js';
import type { Logger } from '../../core/logger.js';
import { isJob } from '../../proto/engine/service-mode.js';
import { isTerminal } from '../../proto/engine/task-state.js';
import type { Handshake } from '../drain/handshake.js';
import { allotPorts } from '../endpoints/port-allocator.js';
import { applyActions } from '../orchestrator/apply-actions.js';
import type { NodeObject, ServiceObject, TaskObject } from '../store/objects.js';
import type { CommittedChange, Store, Transaction } from '../store/store-types.js';
import { Balance } from './balance.js';
import { changeSpec } from './change-spec.js';
import { movingOff } from './node-drain.js';
import { fitsInPlaceOf } from './room.js';
import { decideRollout, type RolloutDecision, type RolloutVerdict } from './rollout.js';

/** Reports of many tasks and meshes gather this long, ms. */
const SETTLE = 5;
/** Services of one transaction. */
const LIMIT = 20;

export interface UpdaterOptions {
  readonly store: Store;
  readonly handshake: Handshake;
  readonly onMeshReport: (listener: () => void) => () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Carries out the planned changes of services (rollout.ts). A service is looked at when something of
 * it changed that a planned change waits for, and only while there is one.
 */
export function startUpdater({ store, handshake, onMeshReport, clock, logger }: UpdaterOptions): {
  close(): Promise<void>;
} {
  /** Services in the middle of a planned change: a word of a mesh may be what they wait for. */
  const changing = new Set<string>();
  /** Nodes that are emptied with a limit on the tasks that move at once, whichever services they are of. */
  const limited = new Set<string>();
  const markNode = (nodeId: string): void => {
    for (const task of store.view.tasksByNode(nodeId)) if (!isTerminal(task.status.State)) loop.mark(task.serviceId);
  };
  const loop = new ControlLoop<string>({
    name: 'updater',
    clock,
    logger,
    settle: SETTLE,
    limit: LIMIT,
    run: async (serviceIds) => {
      const decisions = await store.update((tx) => serviceIds.map((id) => [id, step(tx, id, handshake)] as const));
      for (const [id, decision] of decisions) {
        if (decision === undefined || isQuiet(decision)) changing.delete(id);
        else changing.add(id);
        if (decision?.wakeAt !== undefined) loop.markAt(id, Math.max(decision.wakeAt, clock.now() + 1));
        // What was done may make room for the next step.
        if (decision !== undefined && decision.actions.length > 0) loop.mark(id);
        if (decision !== undefined) report(logger, id, decision);
      }
    },
  });
  const follow = (change: CommittedChange): void => {
    switch (change.table) {
      case 'service':
        if (change.after !== undefined && change.before?.spec !== change.after.spec) loop.mark(change.id);
        break;
      case 'task':
        if (!isConcerned(change.before, change.after)) break;
        loop.mark((change.after ?? change.before)?.serviceId ?? '');
        // One that has left a node makes place for the next, of whichever service.
        for (const id of limited) markNode(id);
        break;
      case 'node':
        if (change.after?.drain?.maxParallel === undefined) limited.delete(change.id);
        else limited.add(change.id);
        if (isMoved(change.before, change.after)) {
          markNode(change.id);
          for (const id of changing) loop.mark(id);
        }
        break;
      case 'cluster':
      case 'secret':
      case 'config':
      case 'audit':
        break;
    }
  };
  const unsubscribe = [
    store.watch((commit) => {
      commit.changes.forEach(follow);
    }),
    onMeshReport(() => {
      for (const id of changing) loop.mark(id);
    }),
  ];
  for (const node of store.view.all('node')) if (node.drain?.maxParallel !== undefined) limited.add(node.id);
  for (const service of store.view.all('service')) loop.mark(service.id);
  return {
    close: () => {
      for (const stop of unsubscribe) stop();
      return loop.close();
    },
  };
}

function step(tx: Transaction, serviceId: string, handshake: Handshake): RolloutDecision | undefined {
  const service = tx.get('service', serviceId);
  // Nobody takes over from a task that is to end: a change of a job is another run of it.
  if (service === undefined || isJob(service.spec.Mode)) return undefined;
  const nodeOf = (id: string): NodeObject | undefined => tx.get('node', id);
  const tasks = tx.tasksByService(serviceId);
  const decision = decideRollout({
    service,
    tasks,
    nodeOf,
    activation: (task) => handshake.activation(task, tx, tx.now),
    fitsInPlaceOf: (newcomer, incumbent) => {
      const { nodeId } = incumbent;
      return nodeId !== undefined && fitsInPlaceOf(newcomer, incumbent, nodeOf(nodeId), tx.tasksByNode(nodeId));
    },
    movingOff: (nodeId) => movingOff(tx.tasksByNode(nodeId), (task) => tx.tasksBySlot(task.serviceId, task.slot)),
    isSurplus: (task) =>
      new Balance({ service, allTasks: tx.all('task'), nodes: tx.all('node') }).moveOf(task) !== undefined,
    now: tx.now,
  });
  applyActions(tx, decision.actions);
  if (decision.verdict !== undefined) applyVerdict(tx, service, decision.verdict);
  return decision;
}

function applyVerdict(tx: Transaction, service: ServiceObject, verdict: RolloutVerdict): void {
  const status = service.updateStatus ?? { State: 'updating' };
  const isRollback = status.State.startsWith('rollback_');
  const { message: Message } = verdict;
  switch (verdict.kind) {
    case 'goes-on':
      // A rollback keeps the words that say why it began.
      if (!isRollback && status.Message !== Message) {
        tx.put('service', { ...service, updateStatus: { ...status, Message } });
      }
      return;
    case 'completed': {
      const { rollout, ...rest } = service;
      if (rollout === undefined) return;
      const State = isRollback ? 'rollback_completed' : 'completed';
      tx.put('service', { ...rest, updateStatus: { ...status, State, CompletedAt: timestamp(tx.now), Message } });
      return;
    }
    case 'paused': {
      const State = isRollback ? 'rollback_paused' : 'paused';
      tx.put('service', { ...service, updateStatus: { ...status, State, Message } });
      return;
    }
    case 'roll-back':
      rollBack(tx, service, Message);
  }
}

function rollBack(tx: Transaction, service: ServiceObject, message: string): void {
  const spec = service.previousSpec;
  if (spec === undefined) return;
  const allotment = allotPorts(spec.EndpointSpec?.Ports ?? [], tx.all('service'), service.id);
  if (allotment.kind === 'refused') {
    const words = `update paused: it cannot be rolled back: ${allotment.reason} (${message})`;
    applyVerdict(tx, service, { kind: 'paused', message: words });
    return;
  }
  const { index, now } = tx;
  const nodeOf = (id: string): NodeObject | undefined => tx.get('node', id);
  const tasks = tx.tasksByService(service.id);
  const cause = { kind: 'automatic-rollback', message } as const;
  tx.put('service', changeSpec({ service, spec, ports: allotment.ports, tasks, nodeOf, index, now, cause }));
}

/** Nothing is under way and nothing is awaited. */
const isQuiet = ({ actions, verdict, wakeAt }: RolloutDecision): boolean =>
  actions.length === 0 && verdict === undefined && wakeAt === undefined;

/** Whether the planned changes of its service may go on by this change of a task. */
function isConcerned(before: TaskObject | undefined, after: TaskObject | undefined): boolean {
  const task = after ?? before;
  if (task === undefined) return false;
  const ended = after === undefined || isTerminal(after.status.State) !== isTerminal(before?.status.State ?? 'new');
  const moved =
    before?.status.State !== after?.status.State ||
    before?.status.Err !== after?.status.Err ||
    before?.draining !== after?.draining ||
    before?.desiredState !== after?.desiredState;
  const sickened = before?.unhealthy !== after?.unhealthy;
  const planned = task.takeover !== undefined && task.takeover.settledAt === undefined;
  const asked = after?.move !== undefined && before?.move !== after.move;
  return (planned && moved) || sickened || asked || (ended && before !== undefined);
}

const isMoved = (before: NodeObject | undefined, after: NodeObject | undefined): boolean =>
  before?.spec !== after?.spec ||
  before?.description !== after?.description ||
  before?.status.addr !== after?.status.addr ||
  before?.drain !== after?.drain ||
  before?.status.state !== after?.status.state;

function report(logger: Logger, serviceId: string, { actions, verdict }: RolloutDecision): void {
  for (const { kind, reason, task } of actions)
    logger.debug({ serviceId, slot: task.slot, kind, reason }, 'rollout step');
  if (verdict === undefined || verdict.kind === 'goes-on') return;
  const line = { serviceId, reason: verdict.message };
  if (verdict.kind === 'completed') logger.info(line, 'rollout completed');
  else logger.warn(line, 'rollout stopped');
}
