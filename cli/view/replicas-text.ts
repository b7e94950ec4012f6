import type { ServiceDocument } from '../../proto/engine/service-document.js';
import { SCHEDULE } from '../../proto/engine/schedule-labels.js';
import { modeOf } from '../../proto/engine/service-mode.js';
import { until } from './relative-time.js';

/** The REPLICAS column of `service ls`, in docker's words for each mode; `now` in ms since the epoch. */
export function replicasText({ Spec, ServiceStatus, nextRun }: ServiceDocument, now: number): string {
  const { RunningTasks = 0, DesiredTasks = 0, CompletedTasks = 0 } = ServiceStatus ?? {};
  const running = `${RunningTasks}/${DesiredTasks}`;
  const next = nextRun === undefined ? '' : `, ${Spec.Labels[SCHEDULE] ?? ''}, next run ${until(nextRun, now)}`;
  switch (modeOf(Spec.Mode)) {
    case 'replicated': {
      const most = Spec.TaskTemplate.Placement?.MaxReplicas ?? 0;
      return most > 0 ? `${running} (max ${most} per node)` : running;
    }
    case 'global':
      return running;
    case 'replicated-job':
      return `${running} (${CompletedTasks}/${Spec.Mode.ReplicatedJob?.TotalCompletions ?? 1} completed${next})`;
    case 'global-job':
      return `${running} (${CompletedTasks}/${DesiredTasks + CompletedTasks} completed${next})`;
  }
}
