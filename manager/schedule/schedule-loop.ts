import type { Clock } from '../../core/clock.js';
import { ControlLoop } from '../../core/control-loop.js';
import type { Logger } from '../../core/logger.js';
import { cronTimes } from '../../proto/engine/cron.js';
import { scheduleOf } from '../../proto/engine/schedule-labels.js';
import type { ServiceObject } from '../store/objects.js';
import type { CommittedChange, Store, Transaction } from '../store/store-types.js';
import { decideSchedule, type ScheduleAction, type ScheduleDecision } from './decide-schedule.js';
import { goingRuns } from './open-runs.js';
import { applySchedule } from './schedule-state.js';

/** A timer counts the time that the machine runs: after a sleep, or when its clock is set, it must be looked at again. ms */
const LONGEST_WAIT = 60_000;

export interface ScheduleLoopOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Begins the runs of scheduled jobs when they are due, and notes how they end. The start of a run and
 * the due time that it stands for are one transaction: after a crash no due time is handled twice.
 */
export function startScheduleLoop({ store, clock, logger }: ScheduleLoopOptions): { close(): Promise<void> } {
  const loop = new ControlLoop<string>({
    name: 'schedule',
    clock,
    logger,
    run: async (ids) => {
      const decided = await store.update((tx) => ids.flatMap((id) => keepSchedule(tx, id)));
      for (const { service, actions, wakeAt } of decided) {
        if (wakeAt !== undefined) loop.markAt(service.id, Math.min(wakeAt, clock.now() + LONGEST_WAIT));
        for (const action of actions) report(logger, service, action);
      }
    },
  });
  const follow = (change: CommittedChange): void => {
    switch (change.table) {
      case 'service': {
        const { before, after } = change;
        if (after?.schedule !== undefined && after !== before) loop.mark(change.id);
        break;
      }
      case 'task': {
        const { jobIteration, serviceId } = change.after ?? change.before ?? {};
        if (jobIteration !== undefined && serviceId !== undefined) markGoing(store.view.get('service', serviceId));
        break;
      }
      case 'node':
        store.view.all('service').forEach(markGoing);
        break;
      case 'cluster':
      case 'secret':
      case 'config':
      case 'audit':
        break;
    }
  };
  const markGoing = (service: ServiceObject | undefined): void => {
    if (service !== undefined && goingRuns(service).length > 0) loop.mark(service.id);
  };
  const unwatch = store.watch((commit) => {
    commit.changes.forEach(follow);
  });
  for (const service of store.view.all('service')) if (service.schedule !== undefined) loop.mark(service.id);
  return {
    close: () => {
      unwatch();
      return loop.close();
    },
  };
}

interface Decided extends ScheduleDecision {
  readonly service: ServiceObject;
}

function keepSchedule(tx: Transaction, id: string): readonly Decided[] {
  const service = tx.get('service', id);
  const schedule = service?.schedule === undefined ? undefined : scheduleOf(service.spec.Labels);
  if (service === undefined || schedule === undefined) return [];
  const decision = decideSchedule({
    service,
    schedule,
    times: cronTimes(schedule.pattern, schedule.timezone),
    tasks: tx.tasksByService(id),
    nodeOf: (nodeId) => tx.get('node', nodeId),
    nodes: tx.all('node'),
    now: tx.now,
  });
  if (decision.actions.length > 0) tx.put('service', applySchedule(service, decision.actions, tx.now));
  return [{ service, ...decision }];
}

function report(logger: Logger, { id, spec }: ServiceObject, action: ScheduleAction): void {
  const line = { serviceId: id, service: spec.Name, ...action };
  switch (action.kind) {
    case 'start':
      logger.info(line, 'run of a job begins');
      break;
    case 'end':
      logger.info(line, 'run of a job is over');
      break;
    case 'skip':
      logger.warn(line, 'run of a job was skipped');
      break;
  }
}
