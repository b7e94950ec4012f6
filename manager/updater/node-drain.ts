import type { NodeSpec } from '../../proto/engine/node-document.js';
import { isTerminal } from '../../proto/engine/task-state.js';
import { shallLive } from '../drain/task-wish.js';
import type { NodeLookup } from '../orchestrator/task-action.js';
import type { NodeDrain, NodeObject, TaskObject } from '../store/objects.js';
import type { Draft } from '../store/store-types.js';

/** The limits that were asked for. */
export interface DrainLimits {
  /** How long the node may take to become empty, ms. */
  readonly deadline?: number;
  readonly maxParallel?: number;
}

/** The row of a node with another spec. A drain that goes on keeps its limits; a node that takes tasks again has none. */
export function withSpec(node: NodeObject, spec: NodeSpec, now: number): Draft<NodeObject> {
  const { drain = { since: now }, ...rest } = node;
  return { ...rest, spec, ...(spec.Availability === 'drain' ? { drain } : {}) };
}

/** The row of a node that is to be emptied within these limits. They count from now, also when it drains already. */
export function drained(node: NodeObject, { deadline, maxParallel }: DrainLimits, now: number): Draft<NodeObject> {
  const spec: NodeSpec = node.spec.Availability === 'drain' ? node.spec : { ...node.spec, Availability: 'drain' };
  const drain: NodeDrain = {
    since: now,
    ...(deadline === undefined ? {} : { deadline: now + deadline }),
    ...(maxParallel === undefined ? {} : { maxParallel }),
  };
  return { ...node, spec, drain };
}

/** Tasks that drain already and would be waited for longer than their node may take: each with the earlier end. */
export const hurried = (tasks: readonly TaskObject[], { deadline }: NodeDrain): readonly Draft<TaskObject>[] =>
  tasks.flatMap((task) =>
    deadline === undefined || task.draining === undefined || task.draining.deadline <= deadline
      ? []
      : [{ ...task, draining: { ...task.draining, deadline } }],
  );

/** Tasks of a node that have not ended. */
export const tasksLeft = (tasks: readonly TaskObject[]): number =>
  tasks.reduce((left, { status }) => left + (isTerminal(status.State) ? 0 : 1), 0);

/**
 * How many tasks are on their way off a node: those told to stop or about to be, and those whose
 * successor starts. One whose successor finds no room is not: it shall not keep others from moving.
 */
export function movingOff(onNode: readonly TaskObject[], slotOf: (task: TaskObject) => readonly TaskObject[]): number {
  const hasSuccessor = (task: TaskObject): boolean =>
    slotOf(task).some((other) => other.takeover?.from === task.id && shallLive(other) && !isRefused(other));
  return onNode.filter((task) => !isTerminal(task.status.State) && (!shallLive(task) || hasSuccessor(task))).length;
}

/** No node takes it. */
const isRefused = ({ nodeId, status }: TaskObject): boolean => nodeId === undefined && (status.Err ?? '') !== '';

/** Why a task may not stay on its node a moment longer; undefined while it may. */
export function overdue(task: TaskObject, nodeOf: NodeLookup, now: number): string | undefined {
  const node = task.nodeId === undefined ? undefined : nodeOf(task.nodeId);
  const { since = 0, deadline = Infinity } = node?.drain ?? {};
  if (node === undefined || now < deadline) return undefined;
  const name = node.description?.Hostname ?? node.id;
  return `node ${name} was to be empty within ${Math.ceil((deadline - since) / 1000)} s`;
}

/** When the next of these tasks becomes overdue, ms since the epoch. */
export function nextOverdue(tasks: readonly TaskObject[], nodeOf: NodeLookup, now: number): number | undefined {
  const deadlines = tasks.flatMap(({ nodeId, status }) => {
    const deadline = nodeId === undefined || isTerminal(status.State) ? undefined : nodeOf(nodeId)?.drain?.deadline;
    return deadline === undefined || deadline <= now ? [] : [deadline];
  });
  return deadlines.length === 0 ? undefined : Math.min(...deadlines);
}
