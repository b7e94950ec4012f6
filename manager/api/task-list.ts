import type { TaskSpec } from '../../proto/engine/task-spec.js';
import type { TaskObject } from '../store/objects.js';
import { taskDocument } from './task-document.js';

/** Tasks of one piece of a list: a millisecond or two of work. */
const PIECE = 1_000;

/**
 * The text of each task but for its spec, kept as long as its row, which never changes: whoever looks at
 * all tasks does so again and again, and few of them are others then.
 */
const KEPT = new WeakMap<TaskObject, { readonly own: string; readonly spec: string }>();

/** By the stored spec, which most tasks share with others. */
const SPECS = new WeakMap<TaskSpec, string>();

/**
 * The JSON array of these rows as `taskDocument` shows them, in pieces, so that a long list neither holds
 * up everybody else nor stands in memory whole.
 */
export function* taskList(
  tasks: readonly TaskObject[],
  drainReason: (task: TaskObject) => string,
): Generator<string, void, undefined> {
  for (let from = 0; from === 0 || from < tasks.length; from += PIECE) {
    const parts = [from === 0 ? '[' : ','];
    for (const task of tasks.slice(from, from + PIECE)) {
      if (parts.length > 1) parts.push(',');
      parts.push(taskText(task, drainReason));
    }
    if (from + PIECE >= tasks.length) parts.push(']');
    yield parts.join('');
  }
}

function taskText(task: TaskObject, drainReason: (task: TaskObject) => string): string {
  const known = KEPT.get(task);
  if (known !== undefined) return joined(known.own, known.spec);
  const { Spec, ...rest } = taskDocument(task, drainReason);
  const own = JSON.stringify(rest);
  const spec = SPECS.get(task.spec) ?? JSON.stringify(Spec);
  SPECS.set(task.spec, spec);
  // What a task waits for until it is told to stop is more than its row.
  if (task.draining === undefined) KEPT.set(task, { own, spec });
  return joined(own, spec);
}

/** `own` is an object with at least an id, so that a comma fits. */
const joined = (own: string, spec: string): string => `${own.slice(0, -1)},"Spec":${spec}}`;
