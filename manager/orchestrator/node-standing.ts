import type { TaskSpec } from '../../proto/engine/task-spec.js';
import { nameOf } from '../scheduler/filters.js';
import { misfitOf } from '../scheduler/misfit.js';
import type { NodeObject } from '../store/objects.js';

/** What a service with one task for each node wants of one of them. */
export type NodeStanding =
  /** A task. */
  | { readonly kind: 'wanted' }
  /** The task that it has, and no new one: it is paused, or it cannot be reached now. */
  | { readonly kind: 'kept' }
  /** No task. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Room does not count: where it lacks, the task waits and says so. */
export function nodeStanding(node: NodeObject | undefined, template: TaskSpec): NodeStanding {
  if (node === undefined) return { kind: 'refused', reason: 'its node was removed from the swarm' };
  const { Availability } = node.spec;
  if (Availability === 'drain') return { kind: 'refused', reason: `node ${nameOf(node)} is drained` };
  const reason = misfitOf(template, node);
  if (reason !== undefined) return { kind: 'refused', reason };
  return { kind: Availability === 'active' && node.status.state === 'ready' ? 'wanted' : 'kept' };
}
