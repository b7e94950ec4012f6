import { applyActions } from '../../../../manager/orchestrator/apply-actions.js';
import { decideService } from '../../../../manager/orchestrator/decide-service.js';
import type { Decision } from '../../../../manager/orchestrator/task-action.js';
import { decideHistory } from '../../../../manager/orchestrator/task-history.js';
import { Backlog } from '../../../../manager/scheduler/backlog.js';
import { Ledger } from '../../../../manager/scheduler/ledger.js';
import { NodePool } from '../../../../manager/scheduler/node-pool.js';
import { placeGroup } from '../../../../manager/scheduler/place.js';
import type { NodeObject, ServiceObject, TaskObject } from '../../../../manager/store/objects.js';
import { type DrainLimits, drained, movingOff } from '../../../../manager/updater/node-drain.js';
import type { ServiceMode } from '../../../../proto/engine/service-spec.js';
import type { NodeSpec } from '../../../../proto/engine/node-document.js';
import type { RestartPolicy } from '../../../../proto/engine/task-spec.js';
import { isTerminal, type TaskState } from '../../../../proto/engine/task-state.js';
import { storedNode, storedService } from '../../../support/stored-objects.js';

const BATCH = 1_000;
const RETENTION = 5;

/** What an agent does next with a task that shall run. */
const NEXT: Partial<Record<TaskState, TaskState>> = {
  assigned: 'accepted',
  accepted: 'preparing',
  preparing: 'ready',
  ready: 'starting',
  starting: 'running',
};

/**
 * A cluster without I/O: the deciders of the manager over plain maps, and agents that move their
 * tasks one state at a time when asked to. Time moves only by `now`.
 */
export class ClusterModel {
  now = Date.UTC(2026, 0, 1);
  readonly services = new Map<string, ServiceObject>();
  readonly nodes = new Map<string, NodeObject>();
  readonly tasks = new Map<string, TaskObject>();
  /** Times at which a slot's task was replaced because it had ended, since the slot was last filled. */
  readonly restarts = new Map<string, number[]>();
  /** Nodes that were ever down: tasks there may have been taken for lost. */
  readonly wasDown = new Set<string>();
  #index = 1;
  readonly #downSince = new Map<string, number>();

  addNode(id: string): void {
    this.nodes.set(id, storedNode(id));
  }

  setNodeUp(id: string, up: boolean): void {
    const node = this.nodes.get(id);
    if (node === undefined) return;
    this.nodes.set(id, { ...node, status: { ...node.status, state: up ? 'ready' : 'down' } });
    if (!up) this.wasDown.add(id);
    if (up) this.#downSince.delete(id);
    else if (!this.#downSince.has(id)) this.#downSince.set(id, this.now);
  }

  setService(id: string, replicas: number, policy?: RestartPolicy): void {
    const plain = storedService(id, { replicas });
    const template = this.services.get(id)?.spec.TaskTemplate ?? {
      ...plain.spec.TaskTemplate,
      ...(policy === undefined ? {} : { RestartPolicy: policy }),
    };
    this.#index += 1;
    this.services.set(id, { ...plain, version: this.#index, spec: { ...plain.spec, TaskTemplate: template } });
  }

  /** One task on each node. */
  setGlobal(id: string, constraints: readonly string[] = []): void {
    const plain = storedService(id, { mode: { Global: {} } });
    const TaskTemplate = { ...plain.spec.TaskTemplate, Placement: { Constraints: [...constraints] } };
    this.#index += 1;
    this.services.set(id, { ...plain, version: this.#index, spec: { ...plain.spec, TaskTemplate } });
  }

  /** A job; each call begins a run of it. */
  setJob(id: string, mode: ServiceMode, policy?: RestartPolicy): void {
    const plain = storedService(id, { mode });
    const TaskTemplate = {
      ...plain.spec.TaskTemplate,
      ...(policy === undefined ? {} : { RestartPolicy: policy }),
    };
    const known = this.services.get(id)?.job;
    const job = { iteration: known === undefined ? 0 : known.iteration + 1, startedAt: this.now };
    this.#index += 1;
    this.services.set(id, { ...plain, version: this.#index, spec: { ...plain.spec, TaskTemplate }, job });
  }

  setNodeSpec(id: string, spec: Partial<NodeSpec>): void {
    const node = this.nodes.get(id);
    if (node !== undefined) this.nodes.set(id, { ...node, spec: { ...node.spec, ...spec } });
  }

  /** Empties a node within limits. */
  drainNode(id: string, limits: DrainLimits): void {
    const node = this.nodes.get(id);
    if (node !== undefined) this.nodes.set(id, { ...node, ...drained(node, limits, this.now) });
  }

  tasksOf(serviceId: string): readonly TaskObject[] {
    return [...this.tasks.values()].filter((task) => task.serviceId === serviceId);
  }

  nodeOf = (id: string): NodeObject | undefined => this.nodes.get(id);

  movingOff = (nodeId: string): number =>
    movingOff(
      [...this.tasks.values()].filter((task) => task.nodeId === nodeId),
      (one) => this.tasksOf(one.serviceId).filter(({ slot }) => slot === one.slot),
    );

  isUp = (nodeId: string | undefined): boolean =>
    nodeId !== undefined && this.nodes.get(nodeId)?.status.state === 'ready';

  decide(serviceId: string): Decision {
    return decideService({
      service: this.services.get(serviceId),
      tasks: this.tasksOf(serviceId),
      nodeOf: this.nodeOf,
      movingOff: this.movingOff,
      nodes: [...this.nodes.values()],
      now: this.now,
      batch: BATCH,
    });
  }

  /** Every service once, and the tasks of removed ones. */
  orchestrate(): void {
    const ids = new Set([...this.services.keys(), ...[...this.tasks.values()].map((task) => task.serviceId)]);
    for (const id of ids) {
      const { actions } = this.decide(id);
      this.#index += 1;
      for (const action of actions) {
        if (action.kind !== 'create') continue;
        const slot = `${id}/${action.task.slot}`;
        if (action.reason.includes('is free')) this.restarts.set(slot, []);
        else if (!action.reason.endsWith('its node is lost')) this.restarts.get(slot)?.push(this.now);
      }
      applyActions(
        {
          put: (_table, row) => {
            const before = this.tasks.get(row.id);
            const created = { version: before?.version ?? this.#index, createdAt: before?.createdAt ?? this.now };
            this.tasks.set(row.id, { ...row, ...created, updatedAt: this.now });
          },
          delete: (_table, taskId) => this.tasks.delete(taskId),
          all: () => [],
        },
        actions,
      );
    }
  }

  schedule(): void {
    const backlog = new Backlog();
    const ledger = new Ledger();
    for (const task of this.tasks.values()) {
      backlog.set(task.id, task);
      ledger.set(task.id, task);
    }
    for (const group of backlog.groups([...backlog.keys()])) {
      const { serviceId, requirement, pinnedTo } = group;
      const site = pinnedTo === undefined ? {} : { pinnedTo };
      const alike = { serviceId, requirement, taskIds: group.first(Infinity), ...site };
      const pool = new NodePool([...this.nodes.values()], ledger, new Set());
      for (const { taskId, nodeId } of placeGroup(alike, pool, () => 0).placements) {
        const task = this.tasks.get(taskId);
        if (task === undefined) continue;
        const placed: TaskObject = { ...task, nodeId };
        this.tasks.set(taskId, placed);
        this.observe(placed, 'assigned');
        ledger.set(taskId, placed);
      }
    }
  }

  reap(): void {
    for (const slot of new Set([...this.tasks.values()].map((task) => `${task.serviceId}/${task.slot}`))) {
      const tasks = [...this.tasks.values()].filter((task) => `${task.serviceId}/${task.slot}` === slot);
      const { deletions } = decideHistory({
        tasks,
        retention: RETENTION,
        nodeOf: this.nodeOf,
        downSince: (id) => this.#downSince.get(id),
        now: this.now,
      });
      for (const { taskId } of deletions) this.tasks.delete(taskId);
    }
  }

  /** The agent of an up node moves a task one step towards its desired state. */
  step(task: TaskObject): void {
    if (!this.isUp(task.nodeId) || isTerminal(task.status.State)) return;
    if (task.desiredState === 'shutdown' || task.desiredState === 'remove') {
      this.observe(task, 'shutdown');
      return;
    }
    if (task.status.State === 'ready' && task.desiredState === 'ready') return;
    const next = NEXT[task.status.State];
    if (next !== undefined) this.observe(task, next);
  }

  /** A task on an up node ends by itself. */
  end(task: TaskObject, state: 'failed' | 'complete'): void {
    if (this.isUp(task.nodeId) && !isTerminal(task.status.State)) this.observe(task, state);
  }

  /** The health check of a running task on an up node fails. */
  sicken(task: TaskObject): void {
    if (!this.isUp(task.nodeId) || task.status.State !== 'running') return;
    this.tasks.set(task.id, { ...task, status: { ...task.status, health: 'unhealthy' } });
  }

  observe(task: TaskObject, state: TaskState): void {
    const status = { Timestamp: new Date(this.now).toISOString(), State: state, Message: '' };
    this.tasks.set(task.id, { ...task, status });
  }

  /** Everything once: a second passes, managers decide, agents act. */
  round(): void {
    this.now += 1_000;
    this.orchestrate();
    this.schedule();
    for (const task of [...this.tasks.values()]) this.step(task);
    this.reap();
  }
}
