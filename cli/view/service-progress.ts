import type { ServiceDocument } from '../../proto/engine/service-document.js';
import { isJob, isPerNode } from '../../proto/engine/service-mode.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import { isDesiredAlive, stateOrder, type TaskState } from '../../proto/engine/task-state.js';
import { jobProgress } from './job-progress.js';
import { until } from './relative-time.js';
import { naturalOrder } from './natural-order.js';

const DEFAULT_MONITOR_MS = 5_000;
/** More slots than this are not shown one by one, as docker has it. */
const MAX_SLOTS = 20;
/** docker cuts a task's error at 75; the reason why no node takes a task is longer, and ends with what would help. */
const ERROR_WIDTH = 240;

/** What the Engine says of a rollout that has nothing to explain. */
const PLAIN_MESSAGES = ['update in progress', 'update completed'];

/** States in the order that a task passes them; the place is what a progress bar shows, of `STEPS.length`. */
export const STEPS: readonly TaskState[] = [
  'new',
  'pending',
  'assigned',
  'accepted',
  'preparing',
  'ready',
  'starting',
  'running',
];

/** One line of the screen. The key tells a line that changed from a new one. */
export interface ProgressLine {
  readonly key: string;
  readonly text: string;
  /** How far along `STEPS` it is, for lines that get a bar. */
  readonly step?: number;
}

export interface Convergence {
  readonly running: number;
  readonly wanted: number;
  /** One a slot, in order; `label` is `2/3`, or the node that it is for. */
  readonly slots: readonly { readonly label: string; readonly text: string; readonly step?: number }[];
}

/** What of earlier looks counts for the next one. */
export interface ProgressMemory {
  /** Since when all tasks run, ms since the epoch. */
  readonly stableSince?: number;
  /** Why a rollback began: its end has other words. */
  readonly cause?: string;
  /** A rollout was seen under way: when it has ended, the daemon has watched it already. */
  readonly rolled: boolean;
}

export type ProgressOutcome =
  | { readonly kind: 'going' }
  | { readonly kind: 'done' }
  /** The rollout stopped; docker's words. */
  | { readonly kind: 'failed'; readonly message: string };

export interface ServiceProgress {
  readonly lines: readonly ProgressLine[];
  readonly memory: ProgressMemory;
  readonly outcome: ProgressOutcome;
}

export interface ServiceLook {
  /** As the user named it. */
  readonly name: string;
  readonly service: ServiceDocument;
  /** Those of the present spec. */
  readonly tasks: readonly TaskDocument[];
  /** Host names by node id, for services with one task for each node. */
  readonly nodeNames?: ReadonlyMap<string, string>;
  /** ms since the epoch. */
  readonly now: number;
}

export const NOTHING_SEEN: ProgressMemory = { rolled: false };

/** What one look at a service shows, and whether there is more to come. Pure. */
export function serviceProgress(look: ServiceLook, memory: ProgressMemory): ServiceProgress {
  const { service } = look;
  if (service.nextRun !== undefined) {
    // Its runs begin by themselves: there is nothing to wait for now.
    const text = `job is scheduled: next run ${until(service.nextRun, look.now)}`;
    return { lines: [{ key: 'end', text }], memory, outcome: { kind: 'done' } };
  }
  if (isJob(service.Spec.Mode)) {
    return { ...jobProgress({ ...look, nodeNames: look.nodeNames ?? new Map() }), memory };
  }
  const progress = isPerNode(service.Spec.Mode)
    ? nodeConvergence(service, look.tasks, look.nodeNames ?? new Map())
    : convergence(service, look.tasks);
  const { State: state, Message: message = '' } = service.UpdateStatus ?? {};
  const rolling = state === 'updating' || state === 'rollback_started';
  const seen = seenNow(memory, service, rolling);
  const lines = [
    ...statusLines(service, seen),
    ...progressLines(progress, isRollback(service)),
    ...waitLines(service, look.tasks),
  ];
  if (state === 'paused' || state === 'rollback_paused') {
    const what = state === 'paused' ? 'update' : 'rollback';
    return { lines, memory: seen, outcome: { kind: 'failed', message: `service ${what} paused: ${message}` } };
  }
  const steady = isSteady(progress, service);
  // A rollout may end with slots given up: then there is nothing left to wait for.
  if (seen.rolled && !rolling) {
    return { lines: [...lines, ...converged(steady, look)], memory: seen, outcome: { kind: 'done' } };
  }
  if (!steady) {
    const failed = memory.stableSince !== undefined && progress.running < progress.wanted;
    return {
      lines: failed ? [...lines, verify('Detected task failure')] : lines,
      memory: seen,
      outcome: { kind: 'going' },
    };
  }
  const stableSince = memory.stableSince ?? look.now;
  const left = Math.ceil((stableSince + monitorOf(service) - look.now) / 1000);
  const over = left <= 0 || progress.wanted === 0;
  if (over && !rolling) {
    return { lines: [...lines, ...converged(true, look)], memory: seen, outcome: { kind: 'done' } };
  }
  const wait = over
    ? `Waiting for the ${isRollback(service) ? 'rollback' : 'update'} to end...`
    : `Waiting ${left} seconds to verify that tasks are stable...`;
  return { lines: [...lines, verify(wait)], memory: { ...seen, stableSince }, outcome: { kind: 'going' } };
}

function seenNow(memory: ProgressMemory, { UpdateStatus }: ServiceDocument, rolling: boolean): ProgressMemory {
  const cause = UpdateStatus?.State === 'rollback_started' ? UpdateStatus.Message : memory.cause;
  return { rolled: memory.rolled || rolling, ...(cause === undefined ? {} : { cause }) };
}

/** How far the tasks of a replicated service are. */
export function convergence(service: ServiceDocument, tasks: readonly TaskDocument[]): Convergence {
  const wanted = service.Spec.Mode.Replicated?.Replicas ?? 1;
  const live = liveByPlace(tasks, ({ Slot = 0 }) => Slot);
  return {
    running: live.filter(([, task]) => isUp(task)).length,
    wanted,
    slots: live.sort(([a], [b]) => a - b).map(([slot, task]) => ({ label: `${slot}/${wanted}`, ...slotState(task) })),
  };
}

/** How far the tasks of a global service are. A look without counts comes from before the first task. */
function nodeConvergence(
  { ServiceStatus }: ServiceDocument,
  tasks: readonly TaskDocument[],
  names: ReadonlyMap<string, string>,
): Convergence {
  const live = liveByPlace(tasks, ({ NodeID = '' }) => NodeID);
  return {
    running: live.filter(([, task]) => isUp(task)).length,
    wanted: ServiceStatus?.DesiredTasks ?? live.length,
    slots: live
      .map(([nodeId, task]) => ({ label: names.get(nodeId) ?? nodeId.slice(0, 12), ...slotState(task) }))
      .sort((a, b) => naturalOrder(a.label, b.label)),
  };
}

/** Of each place the task that counts, where that shall live. */
function liveByPlace<Place>(
  tasks: readonly TaskDocument[],
  placeOf: (task: TaskDocument) => Place,
): [Place, TaskDocument][] {
  const byPlace = new Map<Place, TaskDocument>();
  for (const task of tasks) {
    const place = placeOf(task);
    const known = byPlace.get(place);
    if (known === undefined || isBetter(task, known)) byPlace.set(place, task);
  }
  return [...byPlace].filter(([, task]) => isDesiredAlive(task.DesiredState));
}

function slotState(task: TaskDocument): { readonly text: string; readonly step?: number } {
  const { State, Err = '' } = task.Status;
  if (Err !== '' && !isUp(task)) return { text: shortError(Err) };
  const step = STEPS.indexOf(State) + 1;
  return step === 0 ? { text: State } : { text: State, step };
}

const isUp = (task: TaskDocument): boolean => task.Status.State === 'running' && task.DesiredState === 'running';

/** Of two tasks of one slot the one that shall live counts; of two such, the newer. */
function isBetter(task: TaskDocument, known: TaskDocument): boolean {
  const [a, b] = [stateOrder(task.DesiredState), stateOrder(known.DesiredState)];
  return isDesiredAlive(task.DesiredState) === isDesiredAlive(known.DesiredState)
    ? task.CreatedAt > known.CreatedAt
    : a < b;
}

/** Each slot runs what it shall, and nothing is left to drain. */
const isSteady = ({ running, wanted, slots }: Convergence, { waiting = [] }: ServiceDocument): boolean =>
  running === wanted && slots.length === wanted && waiting.length === 0;

const isRollback = ({ UpdateStatus }: ServiceDocument): boolean => UpdateStatus?.State.startsWith('rollback_') ?? false;

const monitorOf = (service: ServiceDocument): number => {
  const config = isRollback(service) ? service.Spec.RollbackConfig : service.Spec.UpdateConfig;
  return (config?.Monitor ?? 0) / 1e6 || DEFAULT_MONITOR_MS;
};

/** Why the rollout goes as it goes, where there is a why. */
function statusLines({ UpdateStatus }: ServiceDocument, { cause, rolled }: ProgressMemory): readonly ProgressLine[] {
  const { State, Message = '' } = UpdateStatus ?? {};
  const why = cause === undefined ? [] : [{ key: 'rollback', text: `rollback: ${cause}` }];
  // A state from before says nothing about what is waited for. The words of a pause are the caller's error.
  if (State === undefined || !rolled || State === 'paused' || State === 'rollback_paused') return why;
  if (State === 'rollback_started') return why;
  if (State === 'rollback_completed') return [...why, { key: 'end', text: `rollback: ${Message}` }];
  if (Message === '' || PLAIN_MESSAGES.includes(Message)) return why;
  return [...why, { key: 'update', text: `update: ${Message.replace(/^update in progress; /, '')}` }];
}

function progressLines({ running, wanted, slots }: Convergence, rollback: boolean): readonly ProgressLine[] {
  const what = rollback ? 'rolling back update: ' : '';
  const overall = { key: 'overall', text: `overall progress: ${what}${running} out of ${wanted} tasks` };
  if (slots.length > MAX_SLOTS) return [overall];
  return [
    overall,
    ...slots.map(({ label, text, ...rest }) => ({ key: `slot ${label}`, text: `${label}: ${text}`, ...rest })),
  ];
}

/** `web.1: starting: starting`: a state whose message adds nothing to its name. */
const STATE_ALONE =
  /: (?:(?<state>[a-z]+): \k<state>|new: (?:created|made by an update)|assigned: scheduler assigned task to node)$/;

/** `web.3: draining on h2, 4 requests in flight, 12 s left`; not what the line of a slot says already. */
function waitLines({ waiting = [] }: ServiceDocument, tasks: readonly TaskDocument[]): readonly ProgressLine[] {
  const errors = tasks.flatMap(({ Status: { Err = '' } }) => (Err === '' ? [] : [Err]));
  return waiting
    .filter((text) => !errors.some((error) => text.endsWith(`: ${error}`)) && !STATE_ALONE.test(text))
    .map((text, index) => ({ key: `wait ${text.split(':', 1)[0] ?? index}`, text }));
}

const verify = (text: string): ProgressLine => ({ key: 'verify', text: `verify: ${text}` });

const converged = (steady: boolean, { name }: ServiceLook): readonly ProgressLine[] =>
  steady ? [verify(`Service ${name} converged`)] : [];

function shortError(error: string): string {
  const line = error.replaceAll('\n', ' ');
  return line.length > ERROR_WIDTH ? `${line.slice(0, ERROR_WIDTH - 1)}…` : line;
}
