import { startAgent } from '../../agent/agent.js';
import type { Agent, MeshLink } from '../../agent/agent-types.js';
import type { Executor } from '../../agent/executor/executor.js';
import type { Clock } from '../../core/clock.js';
import { IdentitySource, type NodeIdentity } from '../../core/identity.js';
import { createLogger } from '../../core/logger.js';
import { SimulatedMesh } from './cluster-mesh.js';
import { Relay } from './cluster-relay.js';
import type { SimulatedEngine, SimulatedNode } from './simulated-executor.js';

/** A clock that can stop for one process without telling it. */
class MortalClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<() => void>();
  #dead = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  schedule(ms: number, callback: () => void): () => void {
    if (this.#dead) return () => undefined;
    const cancel = this.#clock.schedule(ms, () => {
      this.#timers.delete(cancel);
      callback();
    });
    this.#timers.add(cancel);
    return () => {
      this.#timers.delete(cancel);
      cancel();
    };
  }

  get dead(): boolean {
    return this.#dead;
  }

  die(): void {
    this.#dead = true;
    for (const cancel of this.#timers) cancel();
  }
}

/** An Engine and a mesh as one process has them: a dead one hears nothing of the first and says nothing to the second. */
const executorOf = (engine: SimulatedNode, clock: MortalClock): Executor => ({
  describe: (signal) => engine.describe(signal),
  list: (signal) => engine.list(signal),
  inspect: (taskId, signal) => engine.inspect(taskId, signal),
  pull: (assignment, lookup, progress, signal) => engine.pull(assignment, lookup, progress, signal),
  provide: (assignment, lookup, signal) => engine.provide(assignment, lookup, signal),
  withdraw: (taskId) => engine.withdraw(taskId),
  create: (assignment, signal) => engine.create(assignment, signal),
  start: (taskId, signal) => engine.start(taskId, signal),
  probe: (taskId, check, signal) => engine.probe(taskId, check, signal),
  stop: (taskId, graceNs, signal) => engine.stop(taskId, graceNs, signal),
  remove: (taskId, signal) => engine.remove(taskId, signal),
  watch: (listener, onEngine) =>
    engine.watch(
      (taskId) => {
        if (!clock.dead) listener(taskId);
      },
      (state) => {
        if (!clock.dead) onEngine(state);
      },
    ),
});

const meshOf = (mesh: SimulatedMesh, clock: MortalClock): MeshLink => ({
  setTable: (table) => {
    if (!clock.dead) mesh.setTable(table);
  },
  setLocals: (locals) => {
    if (!clock.dead) mesh.setLocals(locals);
  },
  onReport: (listener) => mesh.onReport(listener),
});

/**
 * A machine: a real agent over real mTLS, a simulated Engine and mesh. The first session of each
 * agent process goes through a relay that can be cut or torn.
 */
export class ClusterNode {
  readonly identity: NodeIdentity;
  readonly engine: SimulatedNode;
  readonly mesh: SimulatedMesh;
  readonly #relay: Relay;
  readonly #clock: Clock;
  readonly #engineSocket: string | undefined;
  #process: { readonly agent: Agent; readonly clock: MortalClock } | undefined;
  /** Agents that were killed: what they hold is let go at the end of the test. */
  readonly #dead: Agent[] = [];

  private constructor(
    identity: NodeIdentity,
    engine: SimulatedNode,
    mesh: SimulatedMesh,
    relay: Relay,
    clock: Clock,
    engineSocket: string | undefined,
  ) {
    this.identity = identity;
    this.engine = engine;
    this.mesh = mesh;
    this.#relay = relay;
    this.#clock = clock;
    this.#engineSocket = engineSocket;
  }

  static async start(
    identity: NodeIdentity,
    managerAddr: string,
    engines: SimulatedEngine,
    clock: Clock,
    engineSocket?: string,
  ): Promise<ClusterNode> {
    const engine = engines.executor(identity.nodeId);
    const mesh = await SimulatedMesh.start(identity, (taskId) => engine.container(taskId)?.phase === 'running');
    const node = new ClusterNode(identity, engine, mesh, await Relay.start(managerAddr), clock, engineSocket);
    await node.startAgent();
    return node;
  }

  get id(): string {
    return this.identity.nodeId;
  }

  get agent(): Agent {
    if (this.#process === undefined) throw new Error(`the agent of ${this.id} does not run`);
    return this.#process.agent;
  }

  /** Ids of the tasks whose containers run, sorted. */
  get runningTasks(): readonly string[] {
    return this.engine.containers
      .filter(({ phase }) => phase === 'running')
      .map(({ taskId }) => taskId)
      .sort();
  }

  async startAgent(): Promise<void> {
    const clock = new MortalClock(this.#clock);
    const agent = await startAgent({
      identity: new IdentitySource(this.identity),
      managers: [this.#relay.addr],
      executor: executorOf(this.engine, clock),
      mesh: meshOf(this.mesh, clock),
      meshAddr: this.mesh.addr,
      ...(this.#engineSocket === undefined ? {} : { engineSocket: this.#engineSocket }),
      baleVersion: 'test',
      clock,
      logger: createLogger('silent'),
    });
    this.#process = { agent, clock };
  }

  /** kill -9 of the daemon: nothing is said, containers and mesh go on. */
  kill(): void {
    const process = this.#process;
    if (process === undefined) return;
    this.#process = undefined;
    process.clock.die();
    this.#dead.push(process.agent);
    this.#relay.tear();
  }

  /** The daemon is stopped on purpose. */
  async stop(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    await process?.agent.close();
  }

  /** The network of the machine is gone; all on it runs on. */
  cut(): void {
    this.#relay.cut();
    this.mesh.silent = true;
  }

  heal(): void {
    this.mesh.silent = false;
    this.#relay.heal();
  }

  /** Daemon, mesh and containers are gone; the machine still answers. */
  async crash(): Promise<void> {
    this.kill();
    await this.mesh.close();
    for (const taskId of this.runningTasks) this.engine.end(taskId, 137);
  }

  async close(): Promise<void> {
    await this.stop();
    for (const agent of this.#dead) await agent.close();
    await this.#relay.close();
    await this.mesh.close();
  }
}
