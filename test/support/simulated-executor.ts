import { abortError } from '../../core/abort.js';
import type { Clock } from '../../core/clock.js';
import { BaleError } from '../../core/errors.js';
import type { Assignment } from '../../proto/assignment.js';
import type { NodeDescription } from '../../proto/engine/node-document.js';
import type { ContainerState, EngineState, Executor } from '../../agent/executor/executor.js';
import { healthCheckOf, type HealthCheck, type ProbeResult } from '../../agent/executor/health-check.js';
import { taskFiles, type TaskFile } from '../../agent/executor/task-file.js';
import type { PayloadLookup } from '../../agent/worker/payload-shelf.js';

export interface SimulatedEngineOptions {
  readonly clock: Clock;
  /** Images that every node has; all there are unless given. */
  readonly images?: readonly string[];
  /** Images that can be pulled. */
  readonly registry?: readonly string[];
  /** ms a start takes; 0 unless given. */
  readonly startLatency?: number;
  /** ms a pull takes; 0 unless given. */
  readonly pullLatency?: number;
  /** ms a container takes to stop; 0 unless given. */
  readonly stopLatency?: number;
  /** Where the mesh dials a container; an address of its own unless given. */
  readonly address?: (taskId: string) => string;
  readonly cpus?: number;
  /** Bytes. */
  readonly memory?: number;
}

export type ExecutorCall = Exclude<keyof Executor, 'watch' | 'provide' | 'withdraw'>;

/** Container Engines of many nodes, as plain data: what a cluster of machines does, without any machine. */
export class SimulatedEngine {
  readonly #options: SimulatedEngineOptions;
  readonly #nodes = new Map<string, SimulatedNode>();

  constructor(options: SimulatedEngineOptions) {
    this.#options = options;
  }

  /** The Engine of a node as its agent sees it. The same node keeps its containers over several executors. */
  executor(nodeId: string): SimulatedNode {
    const known = this.#nodes.get(nodeId);
    if (known !== undefined) return known;
    const node = new SimulatedNode(nodeId, this.#options, this.#nodes.size + 1);
    this.#nodes.set(nodeId, node);
    return node;
  }

  /** Ends a task's container by itself, wherever it runs. */
  kill(taskId: string, exitCode: number, error = ''): void {
    this.#holder(taskId).end(taskId, exitCode, error);
  }

  setHealth(taskId: string, health: 'healthy' | 'unhealthy'): void {
    this.#holder(taskId).setHealth(taskId, health);
  }

  /** What running the health check of a task's container says from now on; see `SimulatedNode.setProbe`. */
  setProbe(taskId: string, answer: ProbeResult): void {
    this.#holder(taskId).setProbe(taskId, answer);
  }

  #holder(taskId: string): SimulatedNode {
    for (const node of this.#nodes.values()) if (node.container(taskId) !== undefined) return node;
    throw new Error(`no node has a container of task ${taskId}`);
  }
}

export class SimulatedNode implements Executor {
  readonly #nodeId: string;
  readonly #options: SimulatedEngineOptions;
  readonly #number: number;
  readonly #images: Set<string> | undefined;
  readonly #containers = new Map<string, ContainerState>();
  readonly #checks = new Map<string, HealthCheck>();
  readonly #probes = new Map<string, ProbeResult>();
  /** Tasks in whose container a probe that hangs still runs. */
  readonly #hanging = new Set<string>();
  readonly #files = new Map<string, readonly TaskFile[]>();
  readonly #watchers = new Set<{
    readonly listener: (taskId: string) => void;
    readonly onEngine: (state: EngineState) => void;
  }>();
  readonly #refusals = new Map<string, Error>();
  /** Calls made so far, by method. */
  readonly calls: Record<ExecutorCall, number> = {
    describe: 0,
    list: 0,
    inspect: 0,
    pull: 0,
    create: 0,
    start: 0,
    probe: 0,
    stop: 0,
    remove: 0,
  };
  /** The registry credentials of each pull that had any, as JSON; undefined where they had not come. */
  readonly pulledWith: (string | undefined)[] = [];
  #outage: string | undefined;
  #made = 0;

  constructor(nodeId: string, options: SimulatedEngineOptions, number: number) {
    this.#nodeId = nodeId;
    this.#options = options;
    this.#number = number;
    this.#images = options.images === undefined ? undefined : new Set(options.images);
  }

  /** The containers of this node, for assertions. */
  get containers(): readonly ContainerState[] {
    return [...this.#containers.values()];
  }

  container(taskId: string): ContainerState | undefined {
    return this.#containers.get(taskId);
  }

  /** The Engine stops answering; containers run on. */
  unreachable(error: string): void {
    this.#outage = error;
    for (const { onEngine } of this.#watchers) onEngine({ reachable: false, error });
  }

  reachable(): void {
    this.#outage = undefined;
    for (const { onEngine } of this.#watchers) onEngine({ reachable: true });
  }

  /** The next call of `method` for a task fails with `error`. */
  refuse(method: 'create' | 'start' | 'probe' | 'stop', error: Error): void {
    this.#refusals.set(method, error);
  }

  /** The container ends by itself. */
  end(taskId: string, exitCode: number, error = ''): void {
    const known = this.#containers.get(taskId);
    if (known?.phase !== 'running') throw new Error(`task ${taskId} has no running container`);
    this.#put(ended(known, exitCode, error));
    this.#tell(taskId);
  }

  setHealth(taskId: string, health: 'healthy' | 'unhealthy'): void {
    const known = this.#containers.get(taskId);
    if (known?.phase !== 'running') throw new Error(`task ${taskId} has no running container`);
    const failed: ProbeResult = { kind: 'ended', exitCode: 1, output: 'sick' };
    const { lastProbe, ...rest } = known;
    const seen = health === 'unhealthy' ? { lastProbe: lastProbe ?? failed } : {};
    this.#put({ ...rest, health, ...seen });
    this.setProbe(taskId, health === 'unhealthy' ? failed : { kind: 'ended', exitCode: 0, output: '' });
    this.#tell(taskId);
  }

  /**
   * What running the health check says from now on, without any word of the Engine. It fails in silence
   * unless set. One that hangs takes its timeout, and then hangs on until this is called again.
   */
  setProbe(taskId: string, answer: ProbeResult): void {
    this.#probes.set(taskId, answer);
    this.#hanging.delete(taskId);
  }

  /** Somebody else removes the container. */
  destroy(taskId: string): void {
    this.#containers.delete(taskId);
    this.#tell(taskId);
  }

  async describe(signal: AbortSignal): Promise<NodeDescription> {
    await this.#enter('describe', signal);
    return {
      Hostname: this.#nodeId,
      Platform: { Architecture: 'x86_64', OS: 'linux' },
      Resources: { NanoCPUs: (this.#options.cpus ?? 4) * 1e9, MemoryBytes: this.#options.memory ?? 8 * 2 ** 30 },
      Engine: { EngineVersion: 'simulated', Plugins: [] },
    };
  }

  async list(signal: AbortSignal): Promise<readonly ContainerState[]> {
    await this.#enter('list', signal);
    return this.containers;
  }

  async inspect(taskId: string, signal: AbortSignal): Promise<ContainerState | undefined> {
    await this.#enter('inspect', signal);
    return this.#containers.get(taskId);
  }

  async pull(
    assignment: Assignment,
    lookup: PayloadLookup,
    progress: (line: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { registryAuth: id } = assignment;
    if (id !== undefined) {
      const sent = lookup({ kind: 'registry-auth', id });
      this.pulledWith.push(sent === undefined ? undefined : Buffer.from(sent.data).toString('utf8'));
    }
    await this.#enter('pull', signal);
    const image = assignment.spec.ContainerSpec.Image;
    if (this.#images === undefined || this.#images.has(image)) return;
    progress('Pulling');
    await this.#after(this.#options.pullLatency, signal);
    if (!(this.#options.registry ?? []).includes(image)) {
      throw new BaleError(`No such image: ${image}: pull access denied`, {
        kind: 'not-found',
        code: 'BALE_IMAGE_PULL_FAILED',
      });
    }
    this.#images.add(image);
  }

  async provide(assignment: Assignment, lookup: PayloadLookup, signal: AbortSignal): Promise<void> {
    await Promise.resolve();
    if (signal.aborted) throw abortError();
    const Platform = { Architecture: 'x86_64', OS: 'linux' };
    const files = taskFiles(assignment, lookup, { ID: this.#nodeId, Hostname: this.#nodeId, Platform });
    if (files.length > 0) this.#files.set(assignment.taskId, files);
  }

  async withdraw(taskId: string): Promise<void> {
    await Promise.resolve();
    this.#files.delete(taskId);
  }

  /** The files a task's container has, as text, by their path in the container. */
  files(taskId: string): Readonly<Record<string, string>> {
    const files = this.#files.get(taskId) ?? [];
    return Object.fromEntries(files.map(({ target, data }) => [target, Buffer.from(data).toString('utf8')]));
  }

  /** The memory is lost, as at a restart of the machine. */
  forgetFiles(): void {
    this.#files.clear();
  }

  async create(assignment: Assignment, signal: AbortSignal): Promise<void> {
    await this.#enter('create', signal);
    const { taskId, serviceId, spec } = assignment;
    const image = spec.ContainerSpec.Image;
    if (this.#images !== undefined && !this.#images.has(image)) {
      throw new BaleError(`No such image: ${image}`, { kind: 'not-found', code: 'BALE_IMAGE_NOT_FOUND' });
    }
    if (this.#containers.has(taskId)) return;
    const check = healthCheckOf({ Healthcheck: spec.ContainerSpec.Healthcheck });
    this.#made += 1;
    this.#put({
      taskId,
      serviceId,
      containerId: `container-${this.#nodeId}-${this.#made}`,
      phase: 'created',
      pid: 0,
      exitCode: 0,
      error: '',
      hostPorts: assignment.hostPorts,
    });
    if (check !== undefined) this.#checks.set(taskId, check);
  }

  async start(taskId: string, signal: AbortSignal): Promise<ContainerState> {
    await this.#enter('start', signal);
    const known = this.#containers.get(taskId);
    if (known === undefined) {
      throw new BaleError(`No such container: task ${taskId} has none`, {
        kind: 'not-found',
        code: 'BALE_CONTAINER_NOT_FOUND',
      });
    }
    if (known.phase === 'running') return known;
    await this.#after(this.#options.startLatency, signal);
    const address = this.#options.address?.(taskId) ?? `172.${16 + this.#number}.0.${this.#made + 1}`;
    const check = this.#checks.get(taskId);
    const state: ContainerState = {
      ...known,
      phase: 'running',
      pid: 1000 + this.#made,
      address,
      ...(check === undefined ? {} : { health: 'starting', check }),
    };
    this.#put(state);
    return state;
  }

  async probe(taskId: string, check: HealthCheck, signal: AbortSignal): Promise<ProbeResult> {
    await this.#enter('probe', signal);
    const known = this.#containers.get(taskId);
    if (known?.phase !== 'running') {
      throw new BaleError(`Container of task ${taskId} is not running`, {
        kind: 'conflict',
        code: 'BALE_CONTAINER_CONFLICT',
      });
    }
    const answer = this.#probes.get(taskId) ?? { kind: 'ended', exitCode: 1, output: '' };
    if (answer.kind === 'hangs' && !this.#hanging.has(taskId)) {
      this.#hanging.add(taskId);
      await this.#after(check.timeout, signal);
    }
    return answer;
  }

  async stop(taskId: string, _graceNs: number, signal: AbortSignal): Promise<void> {
    await this.#enter('stop', signal);
    if (this.#containers.get(taskId)?.phase !== 'running') return;
    await this.#after(this.#options.stopLatency, signal);
    const known = this.#containers.get(taskId);
    if (known?.phase !== 'running') return;
    this.#put(ended(known, 143, ''));
    this.#tell(taskId);
  }

  async remove(taskId: string, signal: AbortSignal): Promise<void> {
    await this.#enter('remove', signal);
    this.#files.delete(taskId);
    if (this.#containers.delete(taskId)) this.#tell(taskId);
  }

  watch(listener: (taskId: string) => void, onEngine: (state: EngineState) => void): () => void {
    const watcher = { listener, onEngine };
    this.#watchers.add(watcher);
    const cancel = this.#options.clock.schedule(0, () => {
      onEngine(this.#outage === undefined ? { reachable: true } : { reachable: false, error: this.#outage });
    });
    return () => {
      cancel();
      this.#watchers.delete(watcher);
    };
  }

  /** What every call begins with: the count, the abort, the outage, a refusal that a test asked for. */
  async #enter(method: ExecutorCall, signal: AbortSignal): Promise<void> {
    this.calls[method] += 1;
    await Promise.resolve();
    if (signal.aborted) throw abortError();
    if (this.#outage !== undefined) {
      throw new BaleError(`the Docker Engine does not answer: ${this.#outage}`, {
        kind: 'unavailable',
        code: 'BALE_ENGINE_UNAVAILABLE',
      });
    }
    const refusal = this.#refusals.get(method);
    this.#refusals.delete(method);
    if (refusal !== undefined) throw refusal;
  }

  #after(ms: number | undefined, signal: AbortSignal): Promise<void> {
    if (ms === undefined || ms === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.schedule(ms, resolve);
      signal.addEventListener('abort', () => {
        cancel();
        reject(abortError());
      });
    });
  }

  #put(state: ContainerState): void {
    this.#containers.set(state.taskId, state);
  }

  #tell(taskId: string): void {
    if (this.#outage !== undefined) return;
    for (const { listener } of this.#watchers) listener(taskId);
  }
}

function ended(container: ContainerState, exitCode: number, error: string): ContainerState {
  const { taskId, serviceId, containerId } = container;
  return { taskId, serviceId, containerId, phase: 'exited', pid: 0, exitCode, error, hostPorts: [] };
}
