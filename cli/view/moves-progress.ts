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

/** What one look at a service shows whose surplus tasks move. Over when each has ended or stays. Pure. */
export function movesProgress({ name, taskIds, tasks, waiting }: MovesLook): {
  readonly lines: readonly ProgressLine[];
  readonly left: number;
} {
  const asked = new Set(taskIds);
  const alive = tasks.filter(({ ID, Status }) => asked.has(ID) && !isTerminal(Status.State));
  // A move is called off when no other node is a better place any more.
  const left = alive.filter(({ move }) => move !== undefined).length;
  const staying = alive.length - left;
  const stay = staying === 0 ? '' : `, ${staying} ${staying === 1 ? 'stays where it is' : 'stay where they are'}`;
  const moved = taskIds.length - alive.length;
  const overall = { key: `overall ${name}`, text: `${name}: ${moved} of ${taskIds.length} moved${stay}` };
  if (left > 0)
    return { lines: [overall, ...waiting.map((text) => ({ key: text.split(':', 1)[0] ?? '', text }))], left };
  return { lines: [overall, { key: `verify ${name}`, text: `verify: Service ${name} is balanced` }], left };
}
