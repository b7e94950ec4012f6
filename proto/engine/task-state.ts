/**
 * The states of the Engine API with SwarmKit's numbers (swarm.md 2.1). The gaps are deliberate; a
 * task's observed state never goes down. `remove` is only ever desired.
 */
export const TASK_STATE_ORDER = {
  new: 0,
  pending: 64,
  assigned: 192,
  accepted: 256,
  preparing: 320,
  ready: 384,
  starting: 448,
  running: 512,
  complete: 576,
  shutdown: 640,
  failed: 704,
  rejected: 768,
  remove: 800,
  orphaned: 832,
} as const;

export type TaskState = keyof typeof TASK_STATE_ORDER;

/** What a manager may wish for a task. */
export type DesiredState = 'ready' | 'running' | 'complete' | 'shutdown' | 'remove';

export const stateOrder = (state: TaskState): number => TASK_STATE_ORDER[state];

/** A terminal state: the container, if there ever was one, does not run and never will again. */
export const isTerminal = (state: TaskState): boolean => stateOrder(state) > TASK_STATE_ORDER.running;

/** Desired to live: not yet told to stop. */
export const isDesiredAlive = (desired: DesiredState): boolean => stateOrder(desired) <= TASK_STATE_ORDER.complete;
