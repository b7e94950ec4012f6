import type { TaskSpec } from '../../proto/engine/task-spec.js';
import type { TaskObject } from '../store/objects.js';
import { jsonList } from './json-list.js';
import { shownSpec, taskDocument } from './task-document.js';

/**
 * The text of each task but for its spec and the end, kept as long as its row, which never changes:
 * whoever looks at all tasks does so again and again, and few of them are others then.
 */
const KEPT = new WeakMap<TaskObject, string>();

/** By the stored spec, which most tasks share with others. */
const SPECS = new WeakMap<TaskSpec, string>();

/** The JSON array of these rows as `taskDocument` shows them, in pieces. */
export const taskList = (tasks: readonly TaskObject[], drainReason: (task: TaskObject) => string): Iterable<string> =>
  jsonList(tasks, (task, parts) => {
    parts.push(KEPT.get(task) ?? ownText(task, drainReason), SPECS.get(task.spec) ?? specText(task.spec), '}');
  });

/** Ends before the spec: `{"ID":…,"Spec":`. */
function ownText(task: TaskObject, drainReason: (task: TaskObject) => string): string {
  const whole = JSON.stringify({ ...taskDocument(task, drainReason), Spec: undefined });
  // `join` makes one flat string, which is read faster, again and again, than a rope of two.
  const own = [whole.slice(0, -1), ',"Spec":'].join('');
  // What a task waits for until it is told to stop is more than its row.
  if (task.draining === undefined) KEPT.set(task, own);
  return own;
}

function specText(spec: TaskSpec): string {
  const text = JSON.stringify(shownSpec(spec));
  SPECS.set(spec, text);
  return text;
}
