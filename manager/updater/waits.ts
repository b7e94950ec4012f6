import type { RolloutView, SlotState } from './slot-state.js';
import { slotStates } from './slot-state.js';

/** More lines than this are not read by anybody. */
const LINES = 20;

type WaitsView = Pick<RolloutView, 'service' | 'tasks' | 'nodeOf' | 'activation'> & {
  /** What a draining task waits for. */
  readonly drainReason: (task: RolloutView['tasks'][number]) => string;
};

/** What the slots of a service wait for, for the user: `web.3: draining on h2, …`. Empty once it is as it should be. */
export function describeWaits(view: WaitsView): readonly string[] {
  const { Name } = view.service.spec;
  const slots = slotStates(view);
  const leaving = view.tasks.filter((task) => task.draining !== undefined);
  return [
    ...slots.flatMap((slot) => slotWaits(slot, view)).map(({ slot, wait }) => `${Name}.${slot}: ${wait}`),
    ...leaving.map((task) => `${Name}.${task.slot}: ${view.drainReason(task)}`),
  ].slice(0, LINES);
}

function slotWaits({ slot, live, dirty }: SlotState, view: WaitsView): readonly { slot: number; wait: string }[] {
  if (live === undefined) return [];
  const activation = view.activation(live);
  if (activation.kind === 'wait') return [{ slot, wait: activation.reason }];
  return dirty && view.service.rollout !== undefined ? [{ slot, wait: 'to be updated' }] : [];
}
