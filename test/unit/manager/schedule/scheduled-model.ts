import { decideSchedule, decideRequest, type ScheduleAction } from '../../../../manager/schedule/decide-schedule.js';
import { applySchedule, firstRun } from '../../../../manager/schedule/schedule-state.js';
import type {
  NodeObject,
  ScheduledRun,
  ServiceObject,
  StartedRun,
  TaskObject,
} from '../../../../manager/store/objects.js';
import { cronTimes } from '../../../../proto/engine/cron.js';
import { scheduleOf } from '../../../../proto/engine/schedule-labels.js';
import type { ServiceMode } from '../../../../proto/engine/service-spec.js';
import { storedNode, storedService, storedTask } from '../../../support/stored-objects.js';

/** A scheduled job without a cluster: its tasks are what the test says they are. */
export class ScheduledModel {
  now = Date.UTC(2026, 0, 1);
  service: ServiceObject;
  tasks: TaskObject[] = [];
  nodes: NodeObject[] = [storedNode('n1')];
  wakeAt: number | undefined;

  constructor(labels: Record<string, string>, mode: ServiceMode = { ReplicatedJob: { TotalCompletions: 1 } }) {
    const plain = storedService('job', { mode, labels: { 'bale.schedule': '* * * * *', ...labels } });
    this.service = { ...plain, ...firstRun(plain.spec, this.now) };
  }

  /** What the manager does at `now`. */
  look(): readonly ScheduleAction[] {
    const { actions, wakeAt } = decideSchedule({ ...this.#view(), times: cronTimes(this.#schedule.pattern, 'UTC') });
    this.wakeAt = wakeAt;
    this.service = applySchedule(this.service, actions, this.now);
    return actions;
  }

  /** Looks again some seconds later. */
  after(seconds: number): readonly ScheduleAction[] {
    this.now += seconds * 1_000;
    return this.look();
  }

  request(): ReturnType<typeof decideRequest> {
    const decided = decideRequest(this.#view());
    if (decided.kind === 'run') this.service = applySchedule(this.service, decided.actions, this.now);
    return decided;
  }

  /** The orchestrator's part: the one task of a run, in this state. */
  task(iteration: number, state: TaskObject['status']['State'], fields: Partial<TaskObject> = {}): void {
    const id = `t${iteration}`;
    const ended = state === 'failed' ? { desiredState: 'shutdown' as const } : { desiredState: 'complete' as const };
    const status = { Timestamp: '', State: state, Message: '', ...(state === 'failed' ? { Err: 'exit 1' } : {}) };
    const task = storedTask(id, 'job', { slot: 0, nodeId: 'n1', jobIteration: iteration, status, ...ended, ...fields });
    this.tasks = [...this.tasks.filter((one) => one.id !== id), task];
  }

  get runs(): readonly ScheduledRun[] {
    return this.service.schedule?.runs ?? [];
  }

  get started(): readonly StartedRun[] {
    return this.runs.flatMap((run) => (run.kind === 'started' ? [run] : []));
  }

  get #schedule() {
    const schedule = scheduleOf(this.service.spec.Labels);
    if (schedule === undefined) throw new Error('the job has no schedule');
    return schedule;
  }

  #view() {
    const { service, tasks, nodes, now } = this;
    const nodeOf = (id: string): NodeObject | undefined => nodes.find((node) => node.id === id);
    return { service, tasks, nodes, nodeOf, now, schedule: this.#schedule };
  }
}
