import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enrol } from '../../agent/identity/enrolment.js';
import { systemClock, type Clock } from '../../core/clock.js';
import { IdentitySource } from '../../core/identity.js';
import { createLogger } from '../../core/logger.js';
import type { SwarmApi } from '../../manager/api/swarm-api.js';
import { initCluster } from '../../manager/init-cluster.js';
import type { Manager } from '../../manager/manager-types.js';
import { startManager } from '../../manager/manager.js';
import type { NodeDocument } from '../../proto/engine/node-document.js';
import type { SwarmSpec } from '../../proto/engine/swarm-document.js';
import { decodeSwarmSpec } from '../../proto/engine/swarm-spec-shape.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import { newJoinKey } from './identities.js';
import { ClusterNode } from './cluster-node.js';
import { freePort } from './free-port.js';
import { serviceBody } from './service-body.js';
import { SimulatedEngine, type SimulatedEngineOptions } from './simulated-executor.js';

export interface ClusterOptions {
  /** Besides the manager's own node. */
  readonly workers: number;
  readonly clock?: Clock;
  readonly engine?: Omit<SimulatedEngineOptions, 'clock'>;
  readonly spec?: Partial<SwarmSpec>;
  /** The Engine that managers reach through the nodes' streams; without it they offer none. */
  readonly engineSocket?: string;
}

const JOINS_AT_A_TIME = 4;

/** A whole cluster in this process: a real manager on loopback and real agents with simulated Engines. */
export async function startCluster(options: ClusterOptions): Promise<TestCluster> {
  const cluster = await TestCluster.start(options);
  try {
    // All machines share one thread here: more at a time would keep each other waiting beyond an enrolment's limit.
    for (let left = options.workers; left > 0; left -= JOINS_AT_A_TIME) {
      await Promise.all(Array.from({ length: Math.min(left, JOINS_AT_A_TIME) }, () => cluster.join()));
    }
    const size = options.workers + 1;
    await cluster.until(`${size} nodes to be ready`, (api) => readyNodes(api).length === size);
    return cluster;
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

export class TestCluster {
  readonly nodes: ClusterNode[] = [];
  readonly engines: SimulatedEngine;
  readonly clock: Clock;
  readonly addr: string;
  readonly stateDir: string;
  readonly identity: IdentitySource;
  readonly #engineSocket: string | undefined;
  #manager: Manager;

  private constructor(parts: {
    clock: Clock;
    engines: SimulatedEngine;
    addr: string;
    stateDir: string;
    identity: IdentitySource;
    manager: Manager;
    engineSocket: string | undefined;
  }) {
    this.clock = parts.clock;
    this.engines = parts.engines;
    this.addr = parts.addr;
    this.stateDir = parts.stateDir;
    this.identity = parts.identity;
    this.#manager = parts.manager;
    this.#engineSocket = parts.engineSocket;
  }

  static async start({ clock = systemClock, engine, spec, engineSocket }: ClusterOptions): Promise<TestCluster> {
    const stateDir = await mkdtemp(join(tmpdir(), 'bale-cluster-'));
    const addr = `127.0.0.1:${await freePort()}`;
    const identity = new IdentitySource(
      await initCluster({
        stateDir,
        spec: decodeSwarmSpec(spec ?? {}),
        availability: 'active',
        advertiseAddr: addr,
        clock,
        signal: AbortSignal.timeout(20_000),
      }),
    );
    const engines = new SimulatedEngine({ clock, ...engine });
    const manager = await runManager(stateDir, identity, addr, clock);
    const cluster = new TestCluster({ clock, engines, addr, stateDir, identity, manager, engineSocket });
    cluster.nodes.push(await ClusterNode.start(identity.current, addr, engines, clock, engineSocket));
    return cluster;
  }

  get api(): SwarmApi {
    return this.#manager.api;
  }

  get manager(): Manager {
    return this.#manager;
  }

  /** The workers, without the manager's own node. */
  get workers(): readonly ClusterNode[] {
    return this.nodes.slice(1);
  }

  /** A further machine joins with the worker token. */
  async join(): Promise<ClusterNode> {
    const token = this.api.swarm().JoinTokens?.Worker ?? '';
    const signal = AbortSignal.timeout(20_000);
    const identity = await enrol({ managers: [this.addr], token, availability: '', privateKey: newJoinKey(), signal });
    const node = await ClusterNode.start(identity, this.addr, this.engines, this.clock, this.#engineSocket);
    this.nodes.push(node);
    return node;
  }

  async createService(name: string, replicas: number, over: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const body = serviceBody({ Name: name, Mode: { Replicated: { Replicas: replicas } }, ...over });
    return (await this.api.createService(body)).ID;
  }

  async scale(name: string, replicas: number): Promise<void> {
    const { Spec, Version } = this.api.service(name, false);
    const body = { ...Spec, Mode: { Replicated: { Replicas: replicas } } };
    await this.api.updateService(name, String(Version.Index), body, { rollback: undefined });
  }

  tasks(service: string): readonly TaskDocument[] {
    return this.api.tasks({ service: [service] });
  }

  running(service: string): readonly TaskDocument[] {
    return this.tasks(service).filter(
      ({ DesiredState, Status }) => DesiredState === 'running' && Status.State === 'running',
    );
  }

  node(id: string): NodeDocument {
    return this.api.node(id);
  }

  /** The machine with this node id. */
  machine(id: string | undefined): ClusterNode {
    const node = this.nodes.find((candidate) => candidate.id === id);
    if (node === undefined) throw new Error(`no machine ${id ?? 'without id'}`);
    return node;
  }

  /**
   * Waits until `predicate` holds, looking after each commit of the manager. When it does not come
   * true in time the error shows the state of the cluster.
   */
  until(what: string, predicate: (api: SwarmApi) => boolean, seconds = 40): Promise<void> {
    const { api } = this;
    if (predicate(api)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const unwatch = this.#manager.onCommit(() => {
        if (!predicate(api)) return;
        clearTimeout(timer);
        unwatch();
        resolve();
      });
      const timer = setTimeout(() => {
        unwatch();
        reject(new Error(`waited ${seconds} s for ${what}; the cluster is\n${describe(api)}`));
      }, seconds * 1000);
    });
  }

  untilRunning(service: string, count: number, seconds?: number): Promise<void> {
    return this.until(`${count} running tasks of ${service}`, () => this.running(service).length === count, seconds);
  }

  untilNode(id: string, state: NodeDocument['Status']['State'], seconds?: number): Promise<void> {
    return this.until(`node ${id} to be ${state}`, () => this.node(id).Status.State === state, seconds);
  }

  /** Another manager process on the same state. */
  async restartManager(): Promise<void> {
    await this.#manager.close();
    this.#manager = await runManager(this.stateDir, this.identity, this.addr, this.clock);
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
    await this.#manager.close();
    await rm(this.stateDir, { recursive: true, force: true });
  }
}

export const readyNodes = (api: SwarmApi): readonly NodeDocument[] =>
  api.nodes({}).filter(({ Status }) => Status.State === 'ready');

const runManager = (stateDir: string, identity: IdentitySource, addr: string, clock: Clock): Promise<Manager> =>
  startManager({
    stateDir,
    identity,
    listenAddr: addr,
    advertiseAddr: addr,
    clock,
    logger: createLogger(process.env.BALE_TEST_LOG === 'debug' ? 'debug' : 'silent'),
  });

function describe(api: SwarmApi): string {
  const nodes = api.nodes({}).map(({ ID, Status }) => `node ${ID} ${Status.State} ${Status.Message ?? ''}`);
  const tasks = api
    .tasks({})
    .map(({ ID, NodeID, Slot, DesiredState, Status }) =>
      [`task ${ID} slot ${Slot ?? 0} on ${NodeID ?? '-'}`, DesiredState, Status.State, Status.Message, Status.Err].join(
        ' ',
      ),
    );
  return [...nodes, ...tasks].join('\n');
}
