import { eventually } from '../../../test/support/eventually.js';
import type { Hosts } from '../../../test/support/hosts.js';
import { REPLICA_IMAGE, REPLICA_PORT } from '../../../test/support/load/replica-image.js';
import { ask } from '../../../test/support/swarm-session.js';
import type { TestHost } from '../../../test/support/test-host.js';
import { DEADLINE, Haproxy, type Server } from './haproxy.js';

const PARALLELISM = 2;
/** Of a container, so that old and new ones of a node never meet. */
const FIRST_PORT = { http: 20000, tcp: 21000 } as const;

/** How old replicas are taken out of service: by a new configuration, or by the runtime API. */
export type Method = 'reload' | 'runtime';

interface Replica extends Server {
  readonly host: TestHost;
}

/**
 * What a careful operator scripts around `docker run` and HAProxy: new replicas first, traffic moved when they
 * answer, old ones stopped when nothing is under way on them or the deadline has passed.
 */
export class Operator {
  readonly #hosts: Hosts;
  readonly #proxies: readonly Haproxy[];
  #replicas: readonly Replica[] = [];
  #started = 0;

  constructor(hosts: Hosts) {
    this.#hosts = hosts;
    this.#proxies = hosts.all.map((host) => new Haproxy(host));
  }

  async start(count: number): Promise<void> {
    const places = Array.from({ length: count }, (_, index) => this.#hosts.host((index % this.#hosts.all.length) + 1));
    this.#replicas = await Promise.all(places.map((host) => this.#run(host)));
    await this.#reload();
  }

  /** Replaces every replica, two at a time. */
  async update(method: Method): Promise<void> {
    for (let first = 0; first < this.#replicas.length; first += PARALLELISM) {
      const old = this.#replicas.slice(0, PARALLELISM);
      const fresh = await Promise.all(old.map(({ host }) => this.#run(host)));
      const next = [...this.#replicas.slice(PARALLELISM), ...fresh];
      if (method === 'runtime') await this.#exchange(old, fresh);
      this.#replicas = next;
      if (method === 'reload') await this.#reload();
      await Promise.all(old.map(({ host, name }) => host.docker('stop', name)));
      await Promise.all(old.map(({ host, name }) => host.docker('rm', name)));
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
    await Promise.all(this.#replicas.map(({ host, name }) => host.docker('rm', '-f', name)));
  }

  /** Ends when the processes of the old configuration have ended too: each at the latest after the deadline. */
  async #reload(): Promise<void> {
    const reloads = await Promise.all(this.#proxies.map((proxy) => proxy.reload(this.#replicas)));
    await Promise.all(reloads.map(({ oldEnded }) => oldEnded));
  }

  async #exchange(old: readonly Replica[], fresh: readonly Replica[]): Promise<void> {
    await Promise.all(
      this.#proxies.map(async (proxy) => {
        for (const { name, address, httpPort, tcpPort } of fresh) {
          await proxy.command(`add server http/${name} ${address}:${httpPort}; enable server http/${name}`);
          await proxy.command(`add server tcp/${name} ${address}:${tcpPort}; enable server tcp/${name}`);
        }
        for (const { name } of old)
          await proxy.command(`set server http/${name} state drain; set server tcp/${name} state drain`);
        for (const { name } of old) {
          await eventually('nothing to be under way', async () => (await proxy.underWay(name)) === 0, {
            seconds: DEADLINE,
          }).catch(() => undefined); // the deadline has passed: as bale, the operator goes on
          await proxy.command(`set server http/${name} state maint; set server tcp/${name} state maint`);
          await proxy.command(`del server http/${name}; del server tcp/${name}`);
        }
      }),
    );
  }

  /** Starts a replica and waits until it answers. */
  async #run(host: TestHost): Promise<Replica> {
    this.#started += 1;
    const number = this.#started;
    const replica: Replica = {
      host,
      name: `replica${number}`,
      address: host.address,
      httpPort: FIRST_PORT.http + number,
      tcpPort: FIRST_PORT.tcp + number,
    };
    const publish = ['-p', `${replica.httpPort}:${REPLICA_PORT.http}`, '-p', `${replica.tcpPort}:${REPLICA_PORT.tcp}`];
    await host.docker('run', '-d', '--name', replica.name, ...publish, REPLICA_IMAGE);
    await eventually('the replica', async () => (await ask(host.address, replica.httpPort)).status === 200);
    return replica;
  }
}
