import type { TaskDocument } from '../../proto/engine/task-document.js';
import { isTerminal } from '../../proto/engine/task-state.js';
import type { ProgressLine } from './service-progress.js';

export interface MovesLook {
  /** Of the service. */
  readonly name: string;
  /** The tasks that are replaced elsewhere. */
  readonly taskIds: readonly string[];
  /** All tasks of the service. */
  readonly tasks: readonly TaskDocument[];
  /** What its slots wait for, as the daemon says. */
  readonly waiting: readonly string[];
}

/** What one look at a service shows whose surplus tasks move. Over when none of them lives. Pure. */
export function movesProgress({ name, taskIds, tasks, waiting }: MovesLook): {
  readonly lines: readonly ProgressLine[];
  readonly left: number;
} {
  const alive = new Set(tasks.filter(({ Status }) => !isTerminal(Status.State)).map(({ ID }) => ID));
  const left = taskIds.filter((id) => alive.has(id)).length;
  const overall = { key: `overall ${name}`, text: `${name}: ${taskIds.length - left} of ${taskIds.length} moved` };
  if (left > 0)
    return { lines: [overall, ...waiting.map((text) => ({ key: text.split(':', 1)[0] ?? '', text }))], left };
  return { lines: [overall, { key: `verify ${name}`, text: `verify: Service ${name} is balanced` }], left };
}
