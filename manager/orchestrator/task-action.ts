import type { TaskStatus } from '../../proto/engine/task-document.js';
import type { DesiredState } from '../../proto/engine/task-state.js';
import type { NodeObject, TaskDrain, TaskObject } from '../store/objects.js';
import type { Draft } from '../store/store-types.js';

/** A task to be made; who applies the action gives it an id. */
export type NewTask = Omit<Draft<TaskObject>, 'id'>;

/** What the orchestrator decided for one task. `reason` is for the log and for a dry run. */
export type TaskAction =
  | { readonly kind: 'create'; readonly task: NewTask; readonly reason: string }
  /** Another desired state; the agent follows it. */
  | { readonly kind: 'wish'; readonly task: TaskObject; readonly desiredState: DesiredState; readonly reason: string }
  /** It shall stop once the meshes let go of it (docs/drain.md); the drain loop sets the desired state then. */
  | { readonly kind: 'drain'; readonly task: TaskObject; readonly draining: TaskDrain; readonly reason: string }
  /** Writes the task as given: what changed are notes of the manager, not its desired state. */
  | { readonly kind: 'amend'; readonly task: Draft<TaskObject>; readonly reason: string }
  /**
   * The node of this task is lost. `status` is there only when the node was removed: then no agent
   * owns the observed state any more. The status of a task on a node that is down stays what its
   * agent last said, until the node is back.
   */
  | {
      readonly kind: 'lose';
      readonly task: TaskObject;
      readonly desiredState: DesiredState;
      readonly status?: TaskStatus;
      readonly reason: string;
    }
  | { readonly kind: 'delete'; readonly task: TaskObject; readonly reason: string };

export interface Decision {
  readonly actions: readonly TaskAction[];
  /** When to decide again although nothing changed, ms since the epoch. */
  readonly wakeAt?: number;
  /** More is to be done than fits one batch: decide again at once. */
  readonly more: boolean;
}

export const NOTHING: Decision = { actions: [], more: false };

/** A node by its id; undefined when it was removed from the cluster. */
export type NodeLookup = (id: string) => NodeObject | undefined;

/** The earliest of two times, of which either may be absent. */
export const earliest = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b);

export const decision = (actions: readonly TaskAction[], wakeAt: number | undefined, more = false): Decision => ({
  actions,
  more,
  ...(wakeAt === undefined ? {} : { wakeAt }),
});
