import { isJob } from '../../proto/engine/service-mode.js';
import { isTerminal } from '../../proto/engine/task-state.js';
import { shallLive } from '../drain/task-wish.js';
import type { TaskObject } from '../store/objects.js';
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
  const { Name, Mode } = view.service.spec;
  const { awaiting } = view.service;
  if (awaiting !== undefined) return [`${Name}: ${awaiting.reason}`];
  if (isJob(Mode)) return jobWaits(view).slice(0, LINES);
  const slots = slotStates(view);
  const leaving = view.tasks.filter((task) => task.draining !== undefined);
  return [
    ...slots.flatMap((slot) => slotWaits(slot, view)).map(({ name, wait }) => `${Name}.${name}: ${wait}`),
    ...leaving.map((task) => `${Name}.${nameOfPlace(task, view)}: ${view.drainReason(task)}`),
  ].slice(0, LINES);
}

function jobWaits(view: WaitsView): readonly string[] {
  return view.tasks.flatMap((task) => {
    const { State, Err = '', Message } = task.status;
    if (!shallLive(task) || isTerminal(State) || State === 'running') return [];
    const { Name } = view.service.spec;
    return [`${Name}.${nameOfPlace(task, view)}: ${State}: ${Err === '' ? Message : Err}`];
  });
}

const nameOfPlace = ({ slot, pinnedTo }: TaskObject, { nodeOf }: WaitsView): string =>
  pinnedTo === undefined ? String(slot) : (nodeOf(pinnedTo)?.description?.Hostname ?? pinnedTo);

function slotWaits({ name, live, dirty }: SlotState, view: WaitsView): readonly { name: string; wait: string }[] {
  if (live === undefined) return [];
  const activation = view.activation(live);
  if (activation.kind === 'wait') return [{ name, wait: activation.reason }];
  return dirty && view.service.rollout !== undefined ? [{ name, wait: 'to be updated' }] : [];
}
