import { Agent, request } from 'node:http';
import type { NodeDocument } from '../../proto/engine/node-document.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import { eventually } from './eventually.js';
import type { Hosts } from './hosts.js';
import { PATIENCE } from './load/load-types.js';
import { socketDocument } from './socket-request.js';
import type { TestHost } from './test-host.js';

/** `swarm init` on the first host, `swarm join` on the others. */
export async function makeSwarm(hosts: Hosts): Promise<void> {
  const [manager, ...workers] = hosts.all;
  if (manager === undefined) throw new Error('no host');
  await manager.bale('swarm', 'init', '--advertise-addr', manager.address);
  const token = (await manager.bale('swarm', 'join-token', '-q', 'worker')).trim();
  for (const worker of workers) await worker.bale('swarm', 'join', '--token', token, `${manager.address}:2377`);
}

export async function tasksOf(host: TestHost, service: string): Promise<readonly TaskDocument[]> {
  const filters = encodeURIComponent(JSON.stringify({ service: [service] }));
  return socketDocument<readonly TaskDocument[]>(host.baleSocket, `/tasks?filters=${filters}`);
}

export const isRunning = (task: TaskDocument): boolean =>
  task.DesiredState === 'running' && task.Status.State === 'running';

/** Waits until exactly `count` tasks of the service run, and returns them. */
export const runningTasks = (
  host: TestHost,
  service: string,
  count: number,
  seconds = 60,
): Promise<readonly TaskDocument[]> =>
  eventually(
    `${count} running tasks of ${service}`,
    async () => {
      const running = (await tasksOf(host, service)).filter(isRunning);
      return running.length === count ? running : undefined;
    },
    { seconds },
  );

export const nodesOf = (host: TestHost): Promise<readonly NodeDocument[]> =>
  socketDocument<readonly NodeDocument[]>(host.baleSocket, '/nodes');

export const serviceOf = (host: TestHost, name: string): Promise<ServiceDocument> =>
  socketDocument<ServiceDocument>(host.baleSocket, `/services/${name}`);

export async function nodeNamed(host: TestHost, hostname: string): Promise<NodeDocument> {
  const node = (await nodesOf(host)).find(({ Description }) => Description.Hostname === hostname);
  if (node === undefined) throw new Error(`no node ${hostname}`);
  return node;
}

export const nodeState = (manager: TestHost, hostname: string, state: string, seconds = 60): Promise<NodeDocument> =>
  eventually(
    `node ${hostname} to be ${state}`,
    async () => {
      const node = await nodeNamed(manager, hostname);
      return node.Status.State === state ? node : undefined;
    },
    { seconds },
  );

export interface PageAnswer {
  readonly status: number;
  readonly text: string;
}

/** One HTTP request to a published port, on a connection of its own unless an agent keeps one. */
export function ask(
  address: string,
  port: number,
  options: { readonly agent?: Agent; readonly path?: string } = {},
): Promise<PageAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host: address, port, path: options.path ?? '/', agent: options.agent ?? false, timeout: PATIENCE },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, text: text.trim() });
        });
        response.on('error', reject);
      },
    );
    call.on('timeout', () => call.destroy(new Error(`no answer within ${PATIENCE} ms`)));
    call.on('error', reject);
    call.end();
  });
}

/** Waits until each of so many replicas has answered at that address. */
export const answersOfAll = (address: string, port: number, replicas: number): Promise<unknown> =>
  eventually(`an answer of each of ${replicas} replicas at ${address}:${port}`, async () => {
    const seen = new Set<string>();
    for (let n = 0; n < 2 * replicas; n += 1) {
      const { status, text } = await ask(address, port);
      if (status === 200) seen.add(text);
    }
    return seen.size === replicas;
  });

/** Asks all the time, on several addresses at once, until stopped; counts what failed. */
export class SteadyLoad {
  readonly failures: string[] = [];
  answered = 0;
  #stopped = false;
  #least = 0;
  readonly #loops: readonly Promise<void>[];

  constructor(targets: readonly { readonly address: string; readonly port: number }[], keepAlive: boolean) {
    this.#loops = targets.map((target) => this.#loop(target, keepAlive));
  }

  /** However soon it is told to stop, `least` requests are made: a quick change has been under load too. */
  async stop(least = 50): Promise<void> {
    this.#least = least;
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  async #loop(
    { address, port }: { readonly address: string; readonly port: number },
    keepAlive: boolean,
  ): Promise<void> {
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    while (!this.#stopped || this.answered + this.failures.length < this.#least) {
      try {
        const { status, text } = await ask(address, port, { agent });
        if (status === 200) this.answered += 1;
        else this.failures.push(`${address}: ${status} ${text}`);
      } catch (error) {
        this.failures.push(`${address}: ${String(error)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    agent.destroy();
  }
}
