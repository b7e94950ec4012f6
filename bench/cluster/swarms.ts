import { startHosts, type Hosts } from '../../test/support/hosts.js';
import { must } from '../../test/support/run.js';
import { socketDocument } from '../../test/support/socket-request.js';
import { TEST_IMAGE } from '../../test/support/test-image.js';
import type { ContainerStarts } from './container-starts.js';

/** A control plane under measurement, by the API it serves. */
export interface ControlPlane {
  readonly name: 'bale' | 'swarm';
  readonly socket: string;
}

interface Task {
  readonly ID: string;
  readonly NodeID?: string;
  readonly DesiredState: string;
  readonly Status: { readonly State: string; readonly ContainerStatus?: { readonly PID: number } };
}

/** The same Engines under bale and under Docker Swarm at once; whoever is not measured is idle. `flags` are the daemons'. */
export async function startBoth(
  count: number,
  flags: readonly string[] = [],
): Promise<{ readonly hosts: Hosts; readonly planes: readonly ControlPlane[] }> {
  const hosts = await startHosts(count, { daemons: false });
  await Promise.all(hosts.all.map((host) => host.startDaemon(flags)));
  const [first, ...others] = hosts.all;
  if (first === undefined) throw new Error('no host');
  await first.docker('swarm', 'init', '--advertise-addr', first.address, '--listen-addr', `${first.address}:12377`);
  const token = (await first.docker('swarm', 'join-token', '-q', 'worker')).trim();
  for (const host of others) {
    await host.docker(
      'swarm',
      'join',
      '--token',
      token,
      '--listen-addr',
      `${host.address}:12377`,
      `${first.address}:12377`,
    );
  }
  await first.bale('swarm', 'init', '--advertise-addr', first.address);
  const baleToken = (await first.bale('swarm', 'join-token', '-q', 'worker')).trim();
  for (const host of others) await host.bale('swarm', 'join', '--token', baleToken, `${first.address}:2377`);
  return {
    hosts,
    planes: [
      { name: 'bale', socket: first.baleSocket },
      { name: 'swarm', socket: first.engineSocket },
    ],
  };
}

/** Creates a service of busybox sleeps without waiting; returns its id. */
export async function createSleeps(plane: ControlPlane, name: string, replicas: number): Promise<string> {
  const { ID } = await socketDocument<{ ID: string }>(plane.socket, '/services/create', {
    method: 'POST',
    body: {
      Name: name,
      TaskTemplate: {
        ContainerSpec: { Image: TEST_IMAGE, Args: ['sleep', '1000000'], Init: false, StopGracePeriod: 1 },
      },
      Mode: { Replicated: { Replicas: replicas } },
    },
  });
  return ID;
}

export const tasksOf = (plane: ControlPlane, service: string): Promise<readonly Task[]> =>
  socketDocument<readonly Task[]>(
    plane.socket,
    `/tasks?filters=${encodeURIComponent(JSON.stringify({ service: { [service]: true } }))}`,
  );

/** Asks every 10 ms until `enough` says so; returns the ms since `start`. */
export const waitForTasks = (
  plane: ControlPlane,
  service: string,
  start: number,
  enough: (tasks: readonly Task[]) => boolean,
): Promise<number> => waitUntil(plane, start, async () => enough(await tasksOf(plane, service)));

/**
 * Waits until the Engines started `count` containers, then asks every 10 ms for the service's own count of
 * running tasks until all run; returns the ms since `start`.
 */
export async function waitForRunning(
  plane: ControlPlane,
  starts: ContainerStarts,
  service: string,
  start: number,
  count: number,
): Promise<number> {
  await starts.reached(count);
  const path = `/services?status=true&filters=${encodeURIComponent(JSON.stringify({ id: { [service]: true } }))}`;
  return waitUntil(plane, start, async () => {
    const [found] = await socketDocument<readonly { readonly ServiceStatus: { readonly RunningTasks: number } }[]>(
      plane.socket,
      path,
    );
    return found?.ServiceStatus.RunningTasks === count;
  });
}

async function waitUntil(plane: ControlPlane, start: number, met: () => Promise<boolean>): Promise<number> {
  for (;;) {
    if (await met()) return performance.now() - start;
    if (performance.now() - start > 120_000) throw new Error(`${plane.name}: not there after two minutes`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const runningTasks = (tasks: readonly Task[]): readonly Task[] =>
  tasks.filter((task) => task.DesiredState === 'running' && task.Status.State === 'running');

/** Removes the service and every container it left, so that the next round starts from nothing. */
export async function removeService(hosts: Hosts, plane: ControlPlane, service: string): Promise<void> {
  await socketDocument(plane.socket, `/services/${service}`, { method: 'DELETE' });
  for (const host of hosts.all) {
    for (;;) {
      const ids = (await must('docker', ['-H', `unix://${host.engineSocket}`, 'ps', '-aq'])).trim();
      if (ids === '') break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};
