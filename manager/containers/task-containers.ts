import { isTerminal, type TaskState } from '../../proto/engine/task-state.js';
import { taskName } from '../api/task-document.js';
import type { Store } from '../store/store-types.js';
import { ContainerIds } from './container-ids.js';
import { findContainer, type NamedBy } from './find-container.js';

/** The container of a task, as far as the cluster knows it. */
export interface TaskContainer {
  readonly by: NamedBy;
  readonly taskId: string;
  /** `service.slot.task`, the container's name on its Engine. */
  readonly name: string;
  /** Absent until the scheduler has found a node. */
  readonly node?: { readonly id: string; readonly hostname: string };
  /** Absent until it was created. */
  readonly containerId?: string;
  readonly state: TaskState;
  /** The task has ended: the container does not run and never will again. */
  readonly ended: boolean;
  /** Why the task is in this state. */
  readonly reason: string;
}

export type TaskContainerMatch =
  | { readonly kind: 'none' }
  | { readonly kind: 'ambiguous'; readonly names: readonly string[] }
  | { readonly kind: 'container'; readonly container: TaskContainer };

/** Finds the containers of the cluster's tasks by the names that clients of the Engine API give them. */
export interface TaskContainers {
  find(reference: string): TaskContainerMatch;
  close(): Promise<void>;
}

export function createTaskContainers(store: Store): TaskContainers {
  const ids = new ContainerIds(store);
  return {
    find(reference) {
      const match = findContainer(reference, store.view, ids.beginningWith);
      if (match.kind !== 'task') return match;
      const { task, by } = match;
      const { status, nodeId } = task;
      const containerId = status.ContainerStatus?.ContainerID ?? '';
      return {
        kind: 'container',
        container: {
          by,
          taskId: task.id,
          name: taskName(task),
          ...(nodeId === undefined ? {} : { node: { id: nodeId, hostname: hostnameOf(store, nodeId) } }),
          ...(containerId === '' ? {} : { containerId }),
          state: status.State,
          ended: isTerminal(status.State),
          reason: status.Err === undefined || status.Err === '' ? status.Message : status.Err,
        },
      };
    },
    close: () => ids.close(),
  };
}

const hostnameOf = ({ view }: Store, nodeId: string): string =>
  view.get('node', nodeId)?.description?.Hostname ?? nodeId;
