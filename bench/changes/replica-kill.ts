import { eventually } from '../../test/support/eventually.js';
import type { Failure } from '../../test/support/load/load-types.js';
import { SERVICE, type ReplicaService } from '../../test/support/load/replica-service.js';
import { isRunning, nodesOf, tasksOf } from '../../test/support/swarm-session.js';
import { REPLICAS, type Steps } from './steps.js';

interface Victim {
  readonly taskId: string;
  /** As the replica calls itself. */
  readonly name: string;
  /** ms since the epoch. */
  readonly at: number;
}

/**
 * Kills one replica of each node. Excused is what was in flight on it: a failure that names it, or one that
 * names no replica and whose request had been sent when it was killed.
 */
export async function killReplicas(
  service: ReplicaService,
  rounds: number,
  steps: Steps,
): Promise<(failure: Failure) => boolean> {
  const victims: Victim[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const host of service.hosts.all) {
      await steps.step(`kill -9 of a replica on ${host.name}`, async () => {
        victims.push(await killOne(service, host.name));
        await service.settled(REPLICAS);
      });
    }
  }
  return (failure) => victims.some((victim) => wasOn(victim, failure));
}

async function killOne(service: ReplicaService, hostname: string): Promise<Victim> {
  const node = (await nodesOf(service.manager)).find(({ Description }) => Description.Hostname === hostname);
  const task = (await tasksOf(service.manager, SERVICE)).find((each) => each.NodeID === node?.ID && isRunning(each));
  const status = task?.Status.ContainerStatus;
  if (task === undefined || status === undefined) throw new Error(`no replica runs on ${hostname}`);
  process.kill(status.PID, 'SIGKILL');
  const at = Date.now();
  await eventually('the loss to be noticed', async () => {
    const same = (await tasksOf(service.manager, SERVICE)).find(({ ID }) => ID === task.ID);
    return same === undefined || !isRunning(same);
  });
  return { taskId: task.ID, name: status.ContainerID.slice(0, 12), at };
}

function wasOn({ taskId, name, at }: Victim, failure: Failure): boolean {
  if (failure.error.includes(taskId) || failure.error.includes(name)) return true;
  const isNamed = /session with [0-9a-f]{12}|its replica /.test(failure.error);
  return !isNamed && failure.at >= at && failure.at - failure.after <= at;
}
