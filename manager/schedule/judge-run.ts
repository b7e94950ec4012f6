import { nameOf } from '../scheduler/filters.js';
import { shallLive } from '../drain/task-wish.js';
import { isDone, mayRun } from '../orchestrator/job-slot.js';
import { nodeStanding } from '../orchestrator/node-standing.js';
import { slotsOf } from '../orchestrator/service-slots.js';
import { isFilled } from '../orchestrator/slot.js';
import { lossOf } from '../orchestrator/stop-task.js';
import type { NodeLookup } from '../orchestrator/task-action.js';
import type { NodeObject, RunEnd, ServiceObject, TaskObject } from '../store/objects.js';

export interface RunView {
  readonly service: ServiceObject;
  /** All tasks of the service. */
  readonly tasks: readonly TaskObject[];
  readonly nodeOf: NodeLookup;
  readonly nodes: readonly NodeObject[];
}

/** `done` of `total` slots, or nodes, completed. */
export type RunVerdict = { readonly done: number; readonly total: number } & (
  | {
      readonly kind: 'going';
      /** It waits only for nodes that cannot be reached. */
      readonly stuck?: string;
    }
  | {
      readonly kind: 'over';
      readonly outcome: Extract<RunEnd['outcome'], 'succeeded' | 'failed'>;
      readonly reason: string;
    }
);

/** What a slot, or a node, has come to in one run. */
type Place =
  | { readonly kind: 'done' | 'open' }
  | { readonly kind: 'given-up'; readonly error: string }
  | { readonly kind: 'unreachable'; readonly reason: string };

/** Whether one run of a job is over: each of its slots, or nodes, completed or was given up. */
export function judgeRun(iteration: number, view: RunView): RunVerdict {
  const tasks = view.tasks.filter((task) => task.jobIteration === iteration);
  const { Mode } = view.service.spec;
  return verdictOf(Mode.GlobalJob === undefined ? slotPlaces(tasks, view) : nodePlaces(tasks, view));
}

function verdictOf(places: readonly Place[]): RunVerdict {
  const done = places.filter(({ kind }) => kind === 'done').length;
  const errors = places.flatMap((place) => (place.kind === 'given-up' ? [place.error] : []));
  const stuck = places.flatMap((place) => (place.kind === 'unreachable' ? [place.reason] : []));
  const total = places.length;
  if (done + errors.length + stuck.length < total) return { kind: 'going', done, total };
  if (stuck[0] !== undefined) return { kind: 'going', done, total, stuck: stuck[0] };
  if (errors.length === 0) {
    return { kind: 'over', done, total, outcome: 'succeeded', reason: `${done} of ${total} tasks completed` };
  }
  const cause = errors.find((error) => error !== '');
  const words = `${errors.length} of ${total} tasks did not complete`;
  return { kind: 'over', done, total, outcome: 'failed', reason: cause === undefined ? words : `${words}: ${cause}` };
}

function slotPlaces(tasks: readonly TaskObject[], view: RunView): readonly Place[] {
  const { MaxConcurrent = 1, TotalCompletions = MaxConcurrent } = view.service.spec.Mode.ReplicatedJob ?? {};
  const slots = new Map(slotsOf(tasks).map(({ slot, tasks: own }) => [slot, own]));
  return Array.from({ length: TotalCompletions }, (_, slot) => placeOf(slots.get(slot) ?? [], view));
}

/** One for each node that shall run it or has begun to. */
function nodePlaces(tasks: readonly TaskObject[], view: RunView): readonly Place[] {
  const byNode = new Map<string, TaskObject[]>();
  for (const task of tasks.filter((one) => isFilled([one]))) {
    const known = byNode.get(task.pinnedTo ?? '');
    if (known === undefined) byNode.set(task.pinnedTo ?? '', [task]);
    else known.push(task);
  }
  const begun = [...byNode.values()].map((own) => nodePlace(own, view));
  const others = view.nodes.flatMap((node) => (byNode.has(node.id) ? [] : awaitedPlace(node, view.service)));
  const places = [...begun, ...others];
  return places.length > 0 ? places : [{ kind: 'unreachable', reason: 'no node may run it' }];
}

function nodePlace(tasks: readonly TaskObject[], view: RunView): Place {
  const lost = tasks.flatMap((task) => (shallLive(task) ? (lossOf(task, view.nodeOf) ?? []) : []))[0];
  return isDone(tasks) || lost === undefined ? placeOf(tasks, view) : { kind: 'unreachable', reason: lost };
}

/** A node without a task: it gets one, or would if it were not silent for the moment. */
function awaitedPlace(node: NodeObject, service: ServiceObject): readonly Place[] {
  const { kind } = nodeStanding(node, service.spec.TaskTemplate);
  if (kind === 'wanted') return [{ kind: 'open' }];
  const silent = node.status.state === 'unknown' || node.status.state === 'disconnected';
  if (kind === 'refused' || node.spec.Availability !== 'active' || !silent) return [];
  return [{ kind: 'unreachable', reason: `node ${nameOf(node)} is ${node.status.state}` }];
}

/** A slot whose last task ended, and has no further one, was given up. */
function placeOf(tasks: readonly TaskObject[], view: RunView): Place {
  if (isDone(tasks)) return { kind: 'done' };
  const [newest] = [...tasks].sort((a, b) => b.version - a.version);
  if (newest === undefined || tasks.some((task) => shallLive(task) || mayRun(task, view))) return { kind: 'open' };
  return { kind: 'given-up', error: newest.status.Err ?? '' };
}
