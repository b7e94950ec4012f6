import { eventually } from '../eventually.js';
import type { Hosts } from '../hosts.js';
import { ask, isRunning, makeSwarm, nodesOf, serviceOf, tasksOf } from '../swarm-session.js';
import type { TestHost } from '../test-host.js';
import type { LoadTarget } from './load-types.js';
import { importReplicaImage, REPLICA_IMAGE, REPLICA_PORT } from './replica-image.js';

export const SERVICE = 'web';
const MANAGER = 1;
/** s. */
const LONGEST_CHANGE = 180;

/** A service of replicas on three nodes, HTTP and TCP published, and the changes that are made to it. */
export class ReplicaService {
  readonly hosts: Hosts;
  readonly targets: readonly LoadTarget[];
  #round = 0;

  private constructor(hosts: Hosts) {
    this.hosts = hosts;
    this.targets = hosts.all.map(({ name, address }) => ({
      node: name,
      address,
      httpPort: REPLICA_PORT.http,
      tcpPort: REPLICA_PORT.tcp,
    }));
  }

  /** Makes the swarm and the service; ready when every node's port answers. */
  static async create(hosts: Hosts, replicas: number): Promise<ReplicaService> {
    const service = new ReplicaService(hosts);
    await Promise.all(hosts.all.map(({ engineSocket }) => importReplicaImage(engineSocket)));
    await makeSwarm(hosts);
    const ports = Object.values(REPLICA_PORT).flatMap((port) => ['-p', `${port}:${port}`]);
    const update = ['--update-parallelism', '2', '--update-monitor', '1s'];
    const create = ['service', 'create', '-d', '--name', SERVICE, '--replicas', String(replicas), ...ports, ...update];
    await service.manager.bale(...create, REPLICA_IMAGE);
    await service.settled(replicas);
    for (const { address } of hosts.all)
      await eventually('the port', async () => (await ask(address, REPLICA_PORT.http)).status === 200);
    return service;
  }

  get manager(): TestHost {
    return this.hosts.host(MANAGER);
  }

  /** Replaces every replica. */
  async update(): Promise<void> {
    this.#round += 1;
    await this.manager.bale('service', 'update', '-d', '--env-add', `ROUND=${this.#round}`, SERVICE);
    await this.#updateState('completed');
  }

  async rollback(): Promise<void> {
    await this.manager.bale('service', 'rollback', '-d', SERVICE);
    await this.#updateState('rollback_completed');
  }

  /** Changes the number of replicas; ends when the last surplus container has stopped. */
  async scale(replicas: number): Promise<void> {
    await this.manager.bale('service', 'scale', '-d', `${SERVICE}=${replicas}`);
    await this.settled(replicas);
  }

  /** Moves everything off the node; ends when nothing of the service runs there and all runs elsewhere. */
  async drain(host: TestHost, replicas: number): Promise<void> {
    const nodes = await nodesOf(this.manager);
    const id = nodes.find(({ Description }) => Description.Hostname === host.name)?.ID;
    await this.manager.bale('node', 'update', '--availability', 'drain', host.name);
    await this.settled(replicas, (nodeId) => nodeId !== id);
  }

  async activate(host: TestHost): Promise<void> {
    await this.manager.bale('node', 'update', '--availability', 'active', host.name);
  }

  /** Waits until exactly so many containers run, none of them on its way out, all on nodes that count. */
  async settled(replicas: number, counts: (nodeId: string | undefined) => boolean = () => true): Promise<void> {
    await eventually(
      `${replicas} replicas and no other container`,
      async () => {
        const alive = (await tasksOf(this.manager, SERVICE)).filter(({ Status }) => Status.State === 'running');
        return alive.length === replicas && alive.every((task) => isRunning(task) && counts(task.NodeID));
      },
      { seconds: LONGEST_CHANGE },
    );
  }

  /** Waits until the manager has heard from every node again and all replicas run. */
  async whole(replicas: number): Promise<void> {
    await eventually(
      'every node to be ready',
      async () => (await nodesOf(this.manager)).every(({ Status }) => Status.State === 'ready'),
      { seconds: LONGEST_CHANGE },
    );
    await this.settled(replicas);
  }

  /** Has the node's mesh processes replaced; ends when the last old one has ended. */
  async replaceMesh(host: TestHost): Promise<void> {
    const old = new Set(await meshPids(host));
    process.kill(host.daemonPid, 'SIGUSR2');
    await eventually(
      `${host.name} to have none but fresh mesh processes`,
      async () => {
        const now = await meshPids(host);
        return now.length === old.size && now.every((pid) => !old.has(pid));
      },
      { seconds: LONGEST_CHANGE },
    );
  }

  #updateState(state: string): Promise<unknown> {
    return eventually(
      `the update to be ${state}`,
      async () => {
        const { UpdateStatus } = await serviceOf(this.manager, SERVICE);
        if (UpdateStatus?.State === state) return true;
        if ((UpdateStatus?.State ?? '').includes('paused')) throw new Error(UpdateStatus?.Message ?? 'paused');
        return false;
      },
      { seconds: LONGEST_CHANGE },
    );
  }
}

export const meshPids = async (host: TestHost): Promise<readonly number[]> =>
  (await host.baleProcesses()).filter(({ command }) => command.includes(' mesh --config ')).map(({ pid }) => pid);
