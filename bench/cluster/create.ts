// Create to all running: bale and Docker Swarm on the same three Engines, beside plain container starts.
import type { Hosts } from '../../test/support/hosts.js';
import { must } from '../../test/support/run.js';
import { socketDocument } from '../../test/support/socket-request.js';
import { TEST_IMAGE } from '../../test/support/test-image.js';
import { ContainerStarts } from './container-starts.js';
import { type ControlPlane, createSleeps, median, removeService, startBoth, waitForRunning } from './swarms.js';

const SIZES = (process.env.SIZES ?? '1,6,20,60').split(',').map(Number);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const CONCURRENCIES = [1, 2, 3, 4];

/** Starts `count` containers over all Engines, `concurrency` at a time on each; ms until the last one runs. */
async function plainStarts(hosts: Hosts, count: number, concurrency: number): Promise<number> {
  const start = performance.now();
  await Promise.all(
    hosts.all.flatMap((host, index) => {
      let left = Math.floor(count / hosts.all.length) + (index < count % hosts.all.length ? 1 : 0);
      const worker = async (): Promise<void> => {
        while (left > 0) {
          left -= 1;
          const body = { Image: TEST_IMAGE, Cmd: ['sleep', '1000000'] };
          const { Id } = await socketDocument<{ Id: string }>(host.engineSocket, '/containers/create', {
            method: 'POST',
            body,
          });
          await socketDocument(host.engineSocket, `/containers/${Id}/start`, { method: 'POST' });
        }
      };
      return Array.from({ length: concurrency }, worker);
    }),
  );
  const taken = performance.now() - start;
  for (const host of hosts.all) {
    const ids = (await host.docker('ps', '-aq')).split('\n').filter((id) => id !== '');
    if (ids.length > 0) await must('docker', ['-H', `unix://${host.engineSocket}`, 'rm', '-f', ...ids]);
  }
  return taken;
}

/** ms from the request to create a service until all its tasks run. Nothing of it is left. */
async function createToRunning(plane: ControlPlane, name: string, replicas: number): Promise<number> {
  using starts = await ContainerStarts.watch(hosts);
  const start = performance.now();
  const service = await createSleeps(plane, name, replicas);
  const taken = await waitForRunning(plane, starts, service, start, replicas);
  await removeService(hosts, plane, service);
  return taken;
}

const { hosts, planes } = await startBoth(3);
try {
  // Warms the Engines' caches for everybody, and each control plane for itself.
  await plainStarts(hosts, 12, 2);
  for (const plane of planes) await createToRunning(plane, 'warm-up', 6);
  console.log('replicas   engines alone (at a time)   bale          ratio   swarm         ratio');
  for (const size of SIZES) {
    // More at a time than an Engine has to start is the same measurement again, and the best of several
    // draws of one thing is no measure of it.
    const mostEach = Math.ceil(size / hosts.all.length);
    const concurrencies = CONCURRENCIES.filter((concurrency) => concurrency <= mostEach);
    const plain = new Map<number, number[]>(concurrencies.map((concurrency) => [concurrency, []]));
    const times = new Map<string, number[]>(planes.map(({ name }) => [name, []]));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const concurrency of concurrencies)
        plain.get(concurrency)?.push(await plainStarts(hosts, size, concurrency));
      for (const plane of round % 2 === 0 ? planes : [...planes].reverse()) {
        times.get(plane.name)?.push(await createToRunning(plane, `bench-${size}-${round}`, size));
      }
    }
    const [best] = [...plain]
      .map(([concurrency, all]) => ({ concurrency, ms: median(all) }))
      .sort((a, b) => a.ms - b.ms);
    if (best === undefined) throw new Error('nothing was measured');
    const cell = (name: string): string => {
      const ms = median(times.get(name) ?? []);
      return `${(ms / 1000).toFixed(2).padStart(6)} s      ${(ms / best.ms).toFixed(2)}`;
    };
    console.log(
      `${String(size).padStart(8)}   ${(best.ms / 1000).toFixed(2).padStart(8)} s (${best.concurrency})            ${cell('bale')}    ${cell('swarm')}`,
    );
  }
} finally {
  await hosts[Symbol.asyncDispose]();
}
