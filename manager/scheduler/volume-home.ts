import type { TaskObject } from '../store/objects.js';
import { localVolumes } from './local-volumes.js';

/** Where the data of a slot's volumes is. */
export interface VolumeHome {
  readonly nodeId: string;
  readonly volumes: readonly string[];
}

type Known = Pick<TaskObject, 'id' | 'version' | 'nodeId' | 'spec' | 'status' | 'volumesLeft'>;

/**
 * The node of the slot's last task that had one of the volumes of `task` and ran. A task that came to
 * another node and never ran there has changed nothing: the data is where it was before.
 */
export function volumeHome(task: Pick<TaskObject, 'id' | 'spec'>, slot: readonly Known[]): VolumeHome | undefined {
  const wanted = localVolumes(task.spec);
  const earlier = slot
    .filter(({ id, nodeId }) => id !== task.id && nodeId !== undefined)
    .sort((a, b) => b.version - a.version || (a.id < b.id ? -1 : 1));
  for (const other of earlier) {
    const { nodeId = '', volumesLeft } = other;
    const had = localVolumes(other.spec);
    const shared = wanted.filter((name) => had.includes(name));
    if (shared.length === 0) continue;
    if (hasRun(other)) return { nodeId, volumes: shared };
    if (volumesLeft !== undefined) {
      const left = shared.filter((name) => volumesLeft.volumes.includes(name));
      if (left.length > 0) return { nodeId: volumesLeft.nodeId, volumes: left };
    }
  }
  return undefined;
}

/**
 * Whether it may have written. One that failed without a known container may have run, or not: it
 * counts unless it is known that the data was elsewhere.
 */
function hasRun({ status, volumesLeft }: Pick<Known, 'status' | 'volumesLeft'>): boolean {
  switch (status.State) {
    case 'running':
    case 'complete':
      return true;
    case 'failed':
      return status.ContainerStatus !== undefined || volumesLeft === undefined;
    case 'rejected':
      return false;
    case 'new':
    case 'pending':
    case 'assigned':
    case 'accepted':
    case 'preparing':
    case 'ready':
    case 'starting':
    case 'shutdown':
    case 'remove':
    case 'orphaned':
      return status.ContainerStatus !== undefined;
  }
}
