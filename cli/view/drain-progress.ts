import type { NodeAvailability } from '../../proto/engine/node-document.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import { isDesiredAlive, isTerminal } from '../../proto/engine/task-state.js';
import type { ProgressLine, ProgressOutcome } from './service-progress.js';

/** More tasks than this are not shown one by one. */
const MAX_TASKS = 20;

export interface DrainLook {
  /** As the user named it. */
  readonly node: string;
  readonly availability: NodeAvailability;
  /** All tasks of the node. */
  readonly tasks: readonly TaskDocument[];
  /** Names of services by id. */
  readonly services: ReadonlyMap<string, string>;
  /** When what is left is stopped, ms since the epoch. */
  readonly deadline?: number;
  readonly now: number;
}

/** What one look at a node that is being emptied shows. It is empty when none of its tasks lives. Pure. */
export function drainProgress(look: DrainLook): {
  readonly lines: readonly ProgressLine[];
  readonly outcome: ProgressOutcome;
} {
  const { node, availability } = look;
  const left = look.tasks.filter(({ Status }) => !isTerminal(Status.State));
  if (availability !== 'drain') {
    return { lines: [], outcome: { kind: 'failed', message: `node ${node} was set to ${availability} meanwhile` } };
  }
  const overall = {
    key: `overall ${node}`,
    text: `overall progress: ${left.length} ${left.length === 1 ? 'task' : 'tasks'} left on ${node}${timeLeft(look)}`,
  };
  const lines =
    left.length > MAX_TASKS
      ? [overall]
      : [overall, ...left.map((task) => taskLine(task, look)).sort((a, b) => (a.text < b.text ? -1 : 1))];
  if (left.length > 0) return { lines, outcome: { kind: 'going' } };
  return {
    lines: [...lines, { key: `verify ${node}`, text: `verify: Node ${node} is empty` }],
    outcome: { kind: 'done' },
  };
}

function timeLeft({ deadline, now }: DrainLook): string {
  if (deadline === undefined) return '';
  return deadline <= now ? ', its deadline has passed' : `, deadline in ${Math.ceil((deadline - now) / 1000)} seconds`;
}

function taskLine(task: TaskDocument, { services }: DrainLook): ProgressLine {
  const name = `${services.get(task.ServiceID) ?? task.ServiceID}.${task.Slot ?? 0}`;
  return { key: `task ${task.ID}`, text: `${name}: ${task.drain?.reason ?? waitOf(task)}` };
}

const waitOf = ({ DesiredState, Status }: TaskDocument): string =>
  isDesiredAlive(DesiredState) ? `${Status.State}, waiting for its replacement` : `${Status.State}, told to stop`;
