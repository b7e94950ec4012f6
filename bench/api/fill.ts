import { socketDocument } from '../../test/support/socket-request.js';
import { TEST_IMAGE } from '../../test/support/test-image.js';
import type { ControlPlane } from '../cluster/swarms.js';
import { timedRequest } from './timed-request.js';

/** A service whose replicas no node may run: they are tasks in the store, and cost no container. */
export const unplaceable = (name: string, replicas: number): object => ({
  Name: name,
  Labels: { team: 'bench', round: '0' },
  TaskTemplate: {
    ContainerSpec: { Image: TEST_IMAGE, Args: ['sleep', '1000000'], Env: ['LEVEL=info', 'PORT=8080'] },
    Resources: { Reservations: { NanoCPUs: 100_000_000, MemoryBytes: 67_108_864 } },
    Placement: { Constraints: ['node.labels.nowhere==true'] },
  },
  Mode: { Replicated: { Replicas: replicas } },
});

/** Neither side asks a registry, nor its Engine, for the image's digest. */
export const CREATE = '/services/create?queryRegistry=false';

export const serviceName = (index: number): string => `bench-${String(index).padStart(5, '0')}`;

interface ListedTask {
  readonly Status: { readonly State: string };
}

export interface Fill {
  readonly services: number;
  readonly tasks: number;
  readonly seconds: number;
}

/**
 * Creates services, eight at a time, until there are `services` or the time is over, and waits until the
 * control plane has made all of their tasks and looked at each: so long they are not `pending`.
 */
export async function fill(plane: ControlPlane, services: number, replicas: number, seconds: number): Promise<Fill> {
  const begun = performance.now();
  const isOver = (): boolean => performance.now() - begun > seconds * 1_000;
  let next = 0;
  const creator = async (): Promise<void> => {
    while (next < services && !isOver()) {
      const name = serviceName(next);
      next += 1;
      await timedRequest(plane.socket, CREATE, { method: 'POST', body: unplaceable(name, replicas) });
    }
  };
  await Promise.all(Array.from({ length: 8 }, creator));
  for (;;) {
    const tasks = await socketDocument<readonly ListedTask[]>(plane.socket, '/tasks');
    const pending = tasks.filter(({ Status }) => Status.State === 'pending').length;
    if (pending >= next * replicas || isOver()) {
      return { services: next, tasks: tasks.length, seconds: (performance.now() - begun) / 1_000 };
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
