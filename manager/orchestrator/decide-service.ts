import { modeOf } from '../../proto/engine/service-mode.js';
import { decideGlobal, decideNodeSlot } from './global.js';
import { decideGlobalJob } from './global-job.js';
import { decideReplicatedJob } from './replicated-job.js';
import { decideReplicated } from './replicated.js';
import { removeTasks, type ServiceView } from './service-slots.js';
import { decideSlot, isFilled, type SlotView } from './slot.js';
import { type Decision, NOTHING } from './task-action.js';

/** What a service needs now, by its mode. */
export function decideService(view: ServiceView): Decision {
  const { service } = view;
  if (service === undefined) return removeTasks(view.tasks, 'its service was removed', view);
  switch (modeOf(service.spec.Mode)) {
    case 'replicated':
      return decideReplicated(service, view);
    case 'global':
      return decideGlobal(service, view);
    case 'replicated-job':
      return decideReplicatedJob(service, view);
    case 'global-job':
      return decideGlobalJob(service, view);
  }
}

/** What one slot of a service needs; undefined when only a look at the whole service can tell. */
export function decideOneSlot(view: SlotView): Decision | undefined {
  if (view.tasks.length === 0) return undefined;
  switch (modeOf(view.service.spec.Mode)) {
    case 'replicated':
      return isFilled(view.tasks) ? decideSlot(view) : NOTHING;
    case 'global':
      return decideNodeSlot(view);
    case 'replicated-job':
    case 'global-job':
      return undefined;
  }
}
