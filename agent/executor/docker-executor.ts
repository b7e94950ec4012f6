import { availableParallelism } from 'node:os';
import type { Clock } from '../../core/clock.js';
import { BaleError, isBaleError } from '../../core/errors.js';
import { readTextIfPresent } from '../../core/atomic-file.js';
import type { Logger } from '../../core/logger.js';
import type { Assignment } from '../../proto/assignment.js';
import { pullsAlways } from '../../proto/engine/image-pull-label.js';
import type { NodeDescription } from '../../proto/engine/node-document.js';
import type { GenericResource } from '../../proto/engine/task-spec.js';
import { parseAuth } from '../../proto/registry/auth-config.js';
import { dockerConfigCredentials, type CredentialLookup } from '../../proto/registry/registry-credentials.js';
import { hostAddresses } from '../host-addresses.js';
import { containerConfig, graceSeconds, type LogConfig } from './container-config.js';
import { NODE_ID_LABEL, TASK_ID_LABEL } from './container-labels.js';
import { containerState } from './container-state.js';
import { statusOf } from './engine-error.js';
import { checkLimits, engineLimits, type EngineLimits } from './engine-limits.js';
import { watchEvents } from './engine-events.js';
import { Engine } from './engine.js';
import { ExecProbes } from './exec-probe.js';
import type { ContainerState, EngineState, Executor } from './executor.js';
import type { HealthCheck, ProbeResult } from './health-check.js';
import { ImagePulls } from './image-pull.js';
import { defaultLogConfig } from './log-limits.js';
import { nodeDescription, type EngineInfo } from './node-description.js';
import type { PayloadLookup } from '../worker/payload-shelf.js';
import { StartGate } from './start-gate.js';
import { taskFileMounts, taskFiles } from './task-file.js';
import { TaskFiles } from './task-files.js';
import type { NodeFacts } from './task-templates.js';

export interface DockerExecutorOptions {
  readonly socketPath: string;
  readonly nodeId: string;
  /** What the node calls itself. */
  readonly hostname: string;
  /** What else its machine has to give to tasks. */
  readonly genericResources?: readonly GenericResource[];
  /** This node's own directory for secrets and configs; made when the first is needed, in memory. */
  readonly filesDirectory: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** How many containers are created or started at once; twice the CPUs unless given. */
  readonly parallelStarts?: number;
  /** The node's own credentials for registries; docker's configuration of this process's user unless given. */
  readonly registryCredentials?: CredentialLookup;
  /** The Engine's configuration file, looked at for log limits; /etc/docker/daemon.json unless given. */
  readonly engineConfigFile?: string;
}

/** Bounds of Engine calls, seconds. A machine under load creates slowly; a dead Engine must not hold a task for ever. */
const QUICK = 30;
const SLOW = 180;
const INSPECT_AT_ONCE = 8;

export const createDockerExecutor = (options: DockerExecutorOptions): Executor => new DockerExecutor(options);

class DockerExecutor implements Executor {
  readonly #options: DockerExecutorOptions;
  readonly #engine: Engine;
  readonly #pulls: ImagePulls;
  readonly #gate: StartGate;
  readonly #probes: ExecProbes;
  readonly #files: TaskFiles;
  /** As the Engine told it last; it is asked before the first task comes. */
  #platform: NodeFacts['Platform'] = { Architecture: '', OS: 'linux' };
  /** The same. */
  #limits: EngineLimits = engineLimits({});
  /** Container ids by task, to save a look-up per call. An entry may be out of date: the Engine says so then. */
  readonly #ids = new Map<string, string>();
  /** Tasks whose container this executor starts right now: their `start` event is no news. */
  readonly #starting = new Set<string>();
  #defaultLog: Promise<LogConfig | undefined> | undefined;

  constructor(options: DockerExecutorOptions) {
    this.#options = options;
    this.#engine = new Engine(options.socketPath);
    this.#pulls = new ImagePulls(this.#engine, options.registryCredentials ?? dockerConfigCredentials());
    this.#files = new TaskFiles(options.filesDirectory);
    const width = options.parallelStarts ?? 2 * availableParallelism();
    this.#gate = new StartGate(width);
    this.#probes = new ExecProbes(this.#engine, width);
  }

  async describe(signal: AbortSignal): Promise<NodeDescription> {
    const { hostname, genericResources } = this.#options;
    const info = await this.#info(signal);
    this.#limits = engineLimits(info);
    const description = nodeDescription(info, hostname, genericResources);
    const { Architecture = '', OS = '' } = description.Platform;
    this.#platform = { Architecture, OS };
    return description;
  }

  async list(signal: AbortSignal): Promise<readonly ContainerState[]> {
    const found = await this.#find([`${NODE_ID_LABEL}=${this.#options.nodeId}`], signal);
    const states: ContainerState[] = [];
    const queue = [...found];
    const work = async (): Promise<void> => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        this.#ids.set(next.taskId, next.id);
        const state = await this.#inspectId(next.id, signal);
        if (state !== undefined) states.push(state);
      }
    };
    await Promise.all(Array.from({ length: INSPECT_AT_ONCE }, work));
    await this.#files.sweep(new Set(found.map(({ taskId }) => taskId)));
    return states;
  }

  async inspect(taskId: string, signal: AbortSignal): Promise<ContainerState | undefined> {
    const known = this.#ids.get(taskId);
    const state = known === undefined ? undefined : await this.#inspectId(known, signal);
    if (state !== undefined) return state;
    const id = await this.#lookUp(taskId, signal);
    return id === undefined ? undefined : this.#inspectId(id, signal);
  }

  pull(
    { spec, serviceLabels, registryAuth: id }: Assignment,
    lookup: PayloadLookup,
    progress: (line: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const sent = id === undefined ? undefined : lookup({ kind: 'registry-auth', id });
    const given = sent === undefined ? undefined : parseAuth(Buffer.from(sent.data).toString('utf8'));
    return this.#pulls.ensure(spec.ContainerSpec.Image, given, progress, signal, pullsAlways(serviceLabels));
  }

  async provide(assignment: Assignment, lookup: PayloadLookup, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (taskFileMounts(assignment).length === 0) return;
    await this.#files.provide(assignment.taskId, taskFiles(assignment, lookup, this.#node()));
  }

  #node(): NodeFacts {
    const { nodeId: ID, hostname: Hostname } = this.#options;
    return { ID, Hostname, Platform: this.#platform };
  }

  withdraw(taskId: string): Promise<void> {
    return this.#files.withdraw(taskId);
  }

  async create(assignment: Assignment, signal: AbortSignal): Promise<void> {
    const { taskId } = assignment;
    checkLimits(assignment.spec.Resources ?? {}, this.#limits);
    const log = assignment.spec.LogDriver ?? assignment.logDriver;
    const defaultLog = log === undefined ? await this.#defaultLogConfig() : undefined;
    const { name, body } = containerConfig(assignment, {
      node: this.#node(),
      fileSource: (file) => this.#files.path(taskId, file),
      hostAddresses,
      ...(defaultLog === undefined ? {} : { defaultLog }),
    });
    await this.#gate.run('create', signal, async () => {
      try {
        // Once sent it is waited for: what an aborted call leaves behind would be nobody's.
        const container = await this.#engine.call(SLOW, NEVER, (docker, abortSignal) => {
          const request = { _query: { name }, _body: body, abortSignal };
          return docker.createContainer(request);
        });
        this.#ids.set(taskId, container.id);
      } catch (error) {
        const exists = isBaleError(error, 'BALE_CONTAINER_CONFLICT') && (await this.#lookUp(taskId, NEVER));
        if (exists === false || exists === undefined) throw error;
      }
    });
  }

  async start(taskId: string, signal: AbortSignal): Promise<ContainerState> {
    const id = this.#ids.get(taskId) ?? (await this.#lookUp(taskId, signal));
    if (id === undefined) throw noContainer(taskId);
    await this.#gate.run('start', signal, async () => {
      this.#starting.add(taskId);
      try {
        await this.#engine.call(SLOW, NEVER, (docker, abortSignal) =>
          unlessStatus(304, docker.getContainer(id).start({ abortSignal })),
        );
      } finally {
        this.#starting.delete(taskId);
      }
    });
    const state = await this.#inspectId(id, signal);
    if (state === undefined) throw noContainer(taskId);
    return state;
  }

  async probe(taskId: string, check: HealthCheck, signal: AbortSignal): Promise<ProbeResult> {
    const id = this.#ids.get(taskId) ?? (await this.#lookUp(taskId, signal));
    if (id === undefined) throw noContainer(taskId);
    return this.#probes.run(id, check, signal);
  }

  async stop(taskId: string, graceNs: number, signal: AbortSignal): Promise<void> {
    const id = this.#ids.get(taskId) ?? (await this.#lookUp(taskId, signal));
    if (id === undefined) return;
    const seconds = graceSeconds(graceNs);
    await this.#engine.call(seconds + SLOW, signal, (docker, abortSignal) =>
      unlessStatus(304, unlessStatus(404, docker.getContainer(id).stop({ t: seconds, abortSignal }))),
    );
  }

  async remove(taskId: string, signal: AbortSignal): Promise<void> {
    const id = this.#ids.get(taskId) ?? (await this.#lookUp(taskId, signal));
    if (id !== undefined) {
      await this.#engine.call(SLOW, signal, (docker, abortSignal) => {
        const request = { v: true, force: true, abortSignal };
        // 409: somebody else removes it already.
        return unlessStatus(409, unlessStatus(404, docker.getContainer(id).remove(request)));
      });
      this.#forget(taskId);
    }
    await this.#files.withdraw(taskId);
  }

  watch(listener: (taskId: string) => void, onEngine: (state: EngineState) => void): () => void {
    const { nodeId, clock } = this.#options;
    return watchEvents(
      { engine: this.#engine, nodeId, clock },
      ({ taskId, action }) => {
        if (action === 'destroy') this.#forget(taskId);
        if (action !== 'start' || !this.#starting.has(taskId)) listener(taskId);
      },
      (state) => {
        if (!state.reachable) this.#defaultLog = undefined; // it may come back with another configuration
        onEngine(state);
      },
    );
  }

  #forget(taskId: string): void {
    const id = this.#ids.get(taskId);
    if (id !== undefined) this.#probes.forget(id);
    this.#ids.delete(taskId);
  }

  #info(signal: AbortSignal): Promise<EngineInfo> {
    // dockerode types the answer as any; its shape is the Engine API's SystemInfo.
    return this.#engine.call(QUICK, signal, (docker) => docker.info() as Promise<EngineInfo>);
  }

  #defaultLogConfig(): Promise<LogConfig | undefined> {
    this.#defaultLog ??= (async () => {
      const { LoggingDriver: driver } = await this.#info(NEVER);
      const file = this.#options.engineConfigFile ?? '/etc/docker/daemon.json';
      return defaultLogConfig(driver, await readTextIfPresent(file).catch(() => undefined));
    })();
    this.#defaultLog.catch(() => (this.#defaultLog = undefined));
    return this.#defaultLog;
  }

  async #inspectId(id: string, signal: AbortSignal): Promise<ContainerState | undefined> {
    try {
      const info = await this.#engine.call(QUICK, signal, (docker, abortSignal) =>
        docker.getContainer(id).inspect({ abortSignal }),
      );
      return containerState(info);
    } catch (error) {
      if (isBaleError(error, 'BALE_CONTAINER_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  async #lookUp(taskId: string, signal: AbortSignal): Promise<string | undefined> {
    const labels = [`${NODE_ID_LABEL}=${this.#options.nodeId}`, `${TASK_ID_LABEL}=${taskId}`];
    const [found] = await this.#find(labels, signal);
    if (found === undefined) this.#ids.delete(taskId);
    else this.#ids.set(taskId, found.id);
    return found?.id;
  }

  async #find(labels: readonly string[], signal: AbortSignal): Promise<readonly { taskId: string; id: string }[]> {
    const containers = await this.#engine.call(QUICK, signal, (docker, abortSignal) =>
      docker.listContainers({ all: true, filters: { label: [...labels] }, abortSignal }),
    );
    return containers.flatMap(({ Id: id, Labels }) => {
      const taskId = Labels[TASK_ID_LABEL];
      return taskId === undefined ? [] : [{ taskId, id }];
    });
  }
}

const NEVER = new AbortController().signal;

const noContainer = (taskId: string): BaleError =>
  new BaleError(`No such container: task ${taskId} has none`, { kind: 'not-found', code: 'BALE_CONTAINER_NOT_FOUND' });

/** Takes an answer of this status for success: the container already is as it should be. */
async function unlessStatus(status: number, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (statusOf(error) !== status) throw error;
  }
}
