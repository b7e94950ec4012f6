import { createLogger } from '../../core/logger.js';
import { startDrainLoop } from '../../manager/drain/drain-loop.js';
import { Handshake } from '../../manager/drain/handshake.js';
import { shallLive } from '../../manager/drain/task-wish.js';
import { startEndpointController } from '../../manager/endpoints/endpoint-controller.js';
import { startOrchestrator } from '../../manager/orchestrator/orchestrator.js';
import { startReaper } from '../../manager/orchestrator/reaper-loop.js';
import { startScheduler } from '../../manager/scheduler/scheduler-loop.js';
import type { NodeObject, ServiceObject, TaskObject } from '../../manager/store/objects.js';
import { openStore } from '../../manager/store/store.js';
import type { Draft, Store } from '../../manager/store/store-types.js';
import { changeSpec } from '../../manager/updater/change-spec.js';
import { startUpdater } from '../../manager/updater/updater-loop.js';
import type { EndpointTable } from '../../proto/endpoint-table.js';
import type { HostPower } from '../../proto/engine/host-options.js';
import type { PortConfig, ServiceSpec } from '../../proto/engine/service-spec.js';
import { isTerminal, type TaskState } from '../../proto/engine/task-state.js';
import { FakeClock } from './fake-clock.js';
import { memoryJournal } from './memory-journal.js';
import { draftNode } from './stored-objects.js';

const logger = createLogger('silent');

/** The image of tasks that fail as soon as they start, and of those that do a moment after. */
export const BAD = 'bad';
export const FLAKY = 'flaky';

const NEXT: Partial<Record<TaskState, TaskState>> = {
  assigned: 'accepted',
  accepted: 'preparing',
  preparing: 'ready',
  ready: 'starting',
  starting: 'running',
};

/** The mesh of one node: routes by the table it applied, which may lag. */
class BenchMesh {
  applied: EndpointTable = { number: 0, clusterId: '', nodes: [], ports: [] };
  readonly inFlight = new Map<string, number>();

  activeTasks(): readonly string[] {
    return this.applied.ports.flatMap(({ endpoints }) =>
      endpoints.filter(({ state }) => state === 'active').map(({ taskId }) => taskId),
    );
  }
}

/**
 * All control loops of a manager on a real store, with agents and meshes as plain data that move only
 * when told. It notes each task that was told to stop while a mesh still used it.
 */
export class RolloutBench {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly meshes = new Map<string, BenchMesh>();
  /** Power over nodes that the scheduler allows. */
  readonly allowed = new Set<HostPower>();
  /** Tasks told to stop that the gate should not have released. */
  readonly violations: string[] = [];
  readonly #table: () => EndpointTable;
  readonly #reports = new Set<() => void>();
  readonly #parts: { close(): Promise<void> }[] = [];

  private constructor(store: Store, clock: FakeClock, nodes: readonly string[]) {
    this.store = store;
    this.clock = clock;
    for (const id of nodes) this.meshes.set(id, new BenchMesh());
    const endpoints = startEndpointController({ store, logger });
    this.#table = () => endpoints.table;
    const acks = () =>
      new Map(
        [...this.meshes].map(([id, { applied, inFlight }]) => [
          id,
          { tableNumber: applied.number, inFlight: Object.fromEntries(inFlight) },
        ]),
      );
    const handshake = new Handshake({ endpoints, acks });
    const onMeshReport = (listener: () => void) => {
      this.#reports.add(listener);
      return () => this.#reports.delete(listener);
    };
    store.watch(({ changes }) => {
      for (const change of changes) if (change.table === 'task') this.#check(change.before, change.after);
    });
    this.#parts.push(
      endpoints,
      startDrainLoop({ store, handshake, onMeshReport, clock, logger }),
      startOrchestrator({ store, clock, logger }),
      startUpdater({ store, handshake, onMeshReport, clock, logger }),
      startScheduler({ store, clock, logger, avoid: () => new Set(), allowed: this.allowed }),
      startReaper({ store, clock, logger }),
    );
  }

  static async start(nodes: readonly string[]): Promise<RolloutBench> {
    const clock = new FakeClock();
    const store = await openStore({ journal: memoryJournal(), clock, logger });
    await store.update((tx) => {
      for (const id of nodes) tx.put('node', draftNode(id, { meshAddr: `${id}:2378` }));
    });
    const bench = new RolloutBench(store, clock, nodes);
    await clock.advance(0);
    return bench;
  }

  async close(): Promise<void> {
    for (const part of this.#parts.reverse()) await part.close();
    await this.store.close();
  }

  get service(): ServiceObject {
    const service = this.store.view.get('service', 'web');
    if (service === undefined) throw new Error('no service');
    return service;
  }

  get tasks(): readonly TaskObject[] {
    return this.store.view.tasksByService('web');
  }

  isUp(nodeId: string | undefined): boolean {
    return nodeId !== undefined && this.store.view.get('node', nodeId)?.status.state === 'ready';
  }

  /** Tasks whose containers may run. */
  get containers(): readonly TaskObject[] {
    return this.tasks.filter(
      ({ nodeId, status, desiredState }) =>
        nodeId !== undefined && !isTerminal(status.State) && (desiredState !== 'ready' || status.State === 'running'),
    );
  }

  /** Tasks that run and are not on their way out. */
  get serving(): readonly TaskObject[] {
    return this.tasks.filter((task) => task.status.State === 'running' && shallLive(task));
  }

  async create(spec: ServiceSpec, ports: readonly PortConfig[] = []): Promise<void> {
    await this.store.update((tx) => {
      tx.put('service', { id: 'web', spec, ports });
    });
    await this.clock.advance(0);
  }

  /** As the API writes an update. */
  async update(
    change: (spec: ServiceSpec) => ServiceSpec,
    kind: 'update' | 'manual-rollback' = 'update',
  ): Promise<void> {
    await this.store.update((tx) => {
      const service = tx.get('service', 'web');
      if (service === undefined) throw new Error('no service');
      const { ports } = service;
      const { index, now } = tx;
      const nodeOf = (id: string): NodeObject | undefined => tx.get('node', id);
      const spec = change(service.spec);
      tx.put(
        'service',
        changeSpec({ service, spec, ports, tasks: tx.tasksByService('web'), nodeOf, index, now, cause: { kind } }),
      );
    });
    await this.clock.advance(0);
  }

  setImage(image: string): Promise<void> {
    return this.update((spec) => ({
      ...spec,
      TaskTemplate: { ...spec.TaskTemplate, ContainerSpec: { ...spec.TaskTemplate.ContainerSpec, Image: image } },
    }));
  }

  async setNode(id: string, fields: Partial<NodeObject>): Promise<void> {
    await this.store.update((tx) => {
      const node = tx.get('node', id);
      if (node !== undefined) tx.put('node', { ...node, ...fields });
    });
    await this.clock.advance(0);
  }

  async replaceNode(row: Draft<NodeObject>): Promise<void> {
    await this.store.update((tx) => {
      tx.put('node', row);
    });
    await this.clock.advance(0);
  }

  /** The agent of a task's node takes it one step on. */
  async step(task: TaskObject): Promise<void> {
    const next = nextState(task);
    if (next !== undefined) await this.observe(task, next);
  }

  async observe(task: TaskObject, state: TaskState): Promise<void> {
    await this.store.update((tx) => {
      const current = tx.get('task', task.id);
      if (current === undefined || isTerminal(current.status.State)) return;
      tx.put('task', { ...current, status: { Timestamp: '', State: state, Message: '' } });
    });
    await this.clock.advance(10);
  }

  /** The agent of a running task tells that its health check failed. */
  async sicken(task: TaskObject): Promise<void> {
    await this.store.update((tx) => {
      const current = tx.get('task', task.id);
      if (current?.status.State !== 'running') return;
      const Err = 'task: container unhealthy';
      tx.put('task', { ...current, status: { ...current.status, Err, health: 'unhealthy' } });
    });
    await this.clock.advance(10);
  }

  /** A mesh takes the newest table and says so. */
  async apply(nodeId: string): Promise<void> {
    const mesh = this.meshes.get(nodeId);
    if (mesh !== undefined) mesh.applied = this.#table();
    await this.#report();
  }

  /** A request begins on a task that the mesh of this node routes to. */
  begin(nodeId: string, pick: number): void {
    const mesh = this.meshes.get(nodeId);
    const active = mesh?.activeTasks() ?? [];
    const taskId = active[pick % Math.max(1, active.length)];
    if (taskId !== undefined) mesh?.inFlight.set(taskId, (mesh.inFlight.get(taskId) ?? 0) + 1);
  }

  /** All requests of a node end. */
  async endAll(nodeId: string): Promise<void> {
    this.meshes.get(nodeId)?.inFlight.clear();
    await this.#report();
  }

  /** Everybody does what there is to do, and time passes. */
  async round(ms = 1_000): Promise<void> {
    for (const task of this.tasks) await this.step(task);
    for (const id of this.meshes.keys()) {
      this.meshes.get(id)?.inFlight.clear();
      await this.apply(id);
    }
    await this.clock.advance(ms);
  }

  async #report(): Promise<void> {
    for (const listener of this.#reports) listener();
    await this.clock.advance(10);
  }

  /** No task may be told to stop that a live mesh routes to or has work on, before its deadline. */
  #check(before: TaskObject | undefined, after: TaskObject | undefined): void {
    if (before?.status.State !== 'running' || after === undefined) return;
    if (before.desiredState !== 'running' || after.desiredState === 'running') return;
    if (isTerminal(after.status.State) || !this.isUp(before.nodeId) || after.lostReason !== undefined) return;
    if (this.clock.now() >= (before.draining?.deadline ?? Infinity)) return;
    for (const [id, mesh] of this.meshes) {
      if (this.store.view.get('node', id)?.status.state === 'down') continue;
      const isUsed = mesh.activeTasks().includes(after.id) || (mesh.inFlight.get(after.id) ?? 0) > 0;
      if (isUsed) this.violations.push(`task ${after.id} was stopped while ${id} used it`);
    }
  }
}

/** What its agent would do next with a task. */
function nextState(task: TaskObject): TaskState | undefined {
  const { nodeId, status, desiredState, spec } = task;
  if (nodeId === undefined || isTerminal(status.State)) return undefined;
  if (desiredState === 'shutdown' || desiredState === 'remove') return 'shutdown';
  if (status.State === 'ready' && desiredState === 'ready') return undefined;
  if (status.State === 'starting' && spec.ContainerSpec.Image === BAD) return 'failed';
  if (status.State === 'running' && spec.ContainerSpec.Image === FLAKY) return 'failed';
  return NEXT[status.State];
}
