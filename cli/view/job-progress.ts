import type { ServiceDocument } from '../../proto/engine/service-document.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import { isDesiredAlive, isTerminal } from '../../proto/engine/task-state.js';
import type { ProgressLine, ProgressOutcome } from './service-progress.js';
import { codeOrder } from './natural-order.js';

/** More tasks than this are not shown one by one, as docker has it. */
const MAX_TASKS = 20;

export interface JobLook {
  readonly service: ServiceDocument;
  /** Those of the present run. */
  readonly tasks: readonly TaskDocument[];
  /** Host names by node id. */
  readonly nodeNames: ReadonlyMap<string, string>;
}

/** What one look at a job shows, in docker's words, and whether there is more to come. Pure. */
export function jobProgress(look: JobLook): {
  readonly lines: readonly ProgressLine[];
  readonly outcome: ProgressOutcome;
} {
  const { service, tasks } = look;
  const { ReplicatedJob } = service.Spec.Mode;
  const places = byPlace(tasks);
  const live = [...places.values()].flatMap((own) =>
    own
      .filter(isLive)
      .slice(0, 1)
      .map((task) => ({ task, own })),
  );
  const done = [...places.values()].filter(isDone).length;
  const wanted = ReplicatedJob?.TotalCompletions ?? nodesOf(service) ?? places.size;
  const atOnce = Math.min(ReplicatedJob?.MaxConcurrent ?? wanted, wanted - done);
  const lines = [
    { key: 'job', text: `job progress: ${done} out of ${wanted} complete` },
    {
      key: 'active',
      text: `active tasks: ${live.filter(({ task }) => isRunning(task)).length} out of ${atOnce} tasks`,
    },
    ...(live.length > MAX_TASKS ? [] : live.map((one) => taskLine(one, wanted, look.nodeNames))),
  ];
  if (done >= wanted && (wanted > 0 || ReplicatedJob !== undefined)) {
    return { lines: [...lines, { key: 'end', text: 'job complete' }], outcome: { kind: 'done' } };
  }
  const failed = [...places.values()].filter((own) => !isDone(own) && !own.some(isWanted));
  const isOver = wanted > 0 && done + failed.length >= wanted;
  if (!isOver) return { lines, outcome: { kind: 'going' } };
  const causes = failed.flatMap((own) => own.at(-1)?.Status.Err ?? []).slice(0, 1);
  const message = [`job failed: ${failed.length} of ${wanted} tasks did not complete`, ...causes].join(': ');
  return { lines, outcome: { kind: 'failed', message } };
}

/** Of a global job: those that are to run it, and those that did. */
const nodesOf = ({ ServiceStatus: counts }: ServiceDocument): number | undefined =>
  counts === undefined ? undefined : counts.DesiredTasks + counts.CompletedTasks;

/** The tasks of each slot or node, the oldest first. */
function byPlace(tasks: readonly TaskDocument[]): ReadonlyMap<string, readonly TaskDocument[]> {
  const places = new Map<string, TaskDocument[]>();
  for (const task of [...tasks].sort((a, b) => codeOrder(a.CreatedAt, b.CreatedAt))) {
    const place = task.Slot === undefined ? (task.NodeID ?? '') : String(task.Slot).padStart(6, '0');
    const known = places.get(place);
    if (known === undefined) places.set(place, [task]);
    else known.push(task);
  }
  return new Map([...places].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const isDone = (own: readonly TaskDocument[]): boolean => own.some(({ Status }) => Status.State === 'complete');

/** Also of one that has failed just now: it is wanted until the manager has decided whether another one comes. */
const isWanted = ({ DesiredState }: TaskDocument): boolean => isDesiredAlive(DesiredState);

const isLive = (task: TaskDocument): boolean => isWanted(task) && !isTerminal(task.Status.State);

const isRunning = ({ Status }: TaskDocument): boolean => Status.State === 'running';

/** A task of a job with those of its place, itself included, the oldest first. */
interface LiveTask {
  readonly task: TaskDocument;
  readonly own: readonly TaskDocument[];
}

function taskLine({ task, own }: LiveTask, wanted: number, names: ReadonlyMap<string, string>): ProgressLine {
  const { Slot, NodeID = '' } = task;
  const label = Slot === undefined ? (names.get(NodeID) ?? NodeID.slice(0, 12)) : `${Slot + 1}/${wanted}`;
  const { State, Err = '' } = task.Status;
  // What failed is replaced at once: without its error nobody would see why the job begins again and again.
  const failure = own.findLast(({ Status }) => isTerminal(Status.State) && (Status.Err ?? '') !== '')?.Status.Err;
  const again = failure === undefined ? '' : `, tried again after: ${oneLine(failure)}`;
  return { key: `task ${label}`, text: `${label}: ${Err === '' || isRunning(task) ? State : oneLine(Err)}${again}` };
}

const oneLine = (error: string): string => error.replaceAll('\n', ' ');
