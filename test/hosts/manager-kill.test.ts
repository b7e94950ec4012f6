import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { socketDocument } from '../support/socket-request.js';
import { tasksOf } from '../support/swarm-session.js';
import { TEST_IMAGE } from '../support/test-image.js';
import type { TestHost } from '../support/test-host.js';

/** Of each of the managers, which are killed side by side: starting one again keeps but one core busy. */
const KILLS = 50;
const MANAGERS = [1, 2];
/** ms; a kill comes at a random moment of this span, counted from the first acknowledged write of its round. */
const SPAN = 60;
const WRITERS = ['red', 'green', 'blue'];

/** What the manager said was done. */
interface Acknowledged {
  readonly created: Set<string>;
  /** The last number that each updated service was given. */
  readonly numbers: Map<string, number>;
}

let hosts: Hosts;

beforeAll(async () => {
  hosts = await startHosts(MANAGERS.length);
  for (const manager of hosts.all) await manager.bale('swarm', 'init', '--advertise-addr', manager.address);
});
afterAll(() => hosts[Symbol.asyncDispose]());

const specOf = (name: string, number: number): object => ({
  Name: name,
  Labels: { number: String(number) },
  TaskTemplate: { ContainerSpec: { Image: TEST_IMAGE } },
  Mode: { Replicated: { Replicas: 0 } },
});

const list = (manager: TestHost): Promise<readonly ServiceDocument[]> =>
  socketDocument<readonly ServiceDocument[]>(manager.baleSocket, '/services');

/** Counts a service's label up, and makes a new service after each step, until the manager is gone. */
async function writeUntilKilled(
  manager: TestHost,
  name: string,
  acknowledged: Acknowledged,
  onFirst: () => void,
): Promise<void> {
  try {
    for (;;) {
      const service = await socketDocument<ServiceDocument>(manager.baleSocket, `/services/${name}`);
      const number = Number(service.Spec.Labels.number) + 1;
      const path = `/services/${service.ID}/update?version=${service.Version.Index}`;
      await socketDocument(manager.baleSocket, path, { method: 'POST', body: specOf(name, number) });
      acknowledged.numbers.set(name, number);
      onFirst();
      const extra = `${name}-${number}`;
      await socketDocument(manager.baleSocket, '/services/create', { method: 'POST', body: specOf(extra, 0) });
      acknowledged.created.add(extra);
      const made = await socketDocument<ServiceDocument>(manager.baleSocket, `/services/${extra}`);
      expect(made.Version.Index).toBeGreaterThan(service.Version.Index);
    }
  } catch (error) {
    // Whatever else it was is found when the next manager is asked.
    if (!/ECONNRESET|ECONNREFUSED|socket hang up|aborted|ENOENT|EPIPE/.test(String(error))) throw error;
  }
}

const description = `after ${KILLS} kills of manager %i during writes every acknowledged write is there`;
test.concurrent.each(MANAGERS)(
  description,
  async (n) => {
    const manager = hosts.host(n);
    const acknowledged: Acknowledged = { created: new Set(WRITERS), numbers: new Map() };
    for (const name of WRITERS) {
      await socketDocument(manager.baleSocket, '/services/create', { method: 'POST', body: specOf(name, 0) });
      acknowledged.numbers.set(name, 0);
    }
    const cluster = await socketDocument<{ ID: string }>(manager.baleSocket, '/swarm');
    for (let round = 0; round < KILLS; round += 1) {
      let killed: Promise<void> | undefined;
      const onFirst = (): void => {
        killed ??= new Promise((resolve) => setTimeout(resolve, Math.random() * SPAN)).then(() =>
          manager.stopDaemon('SIGKILL'),
        );
      };
      await Promise.all(WRITERS.map((name) => writeUntilKilled(manager, name, acknowledged, onFirst)));
      await killed;
      await manager.startDaemon();
      const services = new Map((await list(manager)).map((service) => [service.Spec.Name, service]));
      const lost = [...acknowledged.created].filter((name) => !services.has(name));
      expect(lost).toEqual([]);
      for (const [name, number] of acknowledged.numbers) {
        const found = Number(services.get(name)?.Spec.Labels.number);
        // One more when the manager was killed between the write and its answer.
        expect([number, number + 1]).toContain(found);
        acknowledged.numbers.set(name, found);
      }
      // Those that outgrew the round go, so that the list stays short; a removal is a write like any other.
      for (const name of [...services.keys()].filter((name) => !WRITERS.includes(name))) {
        await socketDocument(manager.baleSocket, `/services/${name}`, { method: 'DELETE' });
        acknowledged.created.delete(name);
      }
    }
    const services = await list(manager);
    expect(services.map(({ Spec }) => Spec.Name).sort()).toEqual([...WRITERS].sort());
    expect(await socketDocument<{ ID: string }>(manager.baleSocket, '/swarm')).toMatchObject({ ID: cluster.ID });
    for (const name of WRITERS) expect(await tasksOf(manager, name)).toEqual([]);
    // Else the kills proved nothing.
    expect(Math.max(...acknowledged.numbers.values())).toBeGreaterThan(KILLS / WRITERS.length);
  },
  600_000,
);
