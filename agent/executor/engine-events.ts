import { backoffDelay, type BackoffPolicy } from '../../core/backoff.js';
import type { Clock } from '../../core/clock.js';
import { errorMessage } from '../../core/errors.js';
import { NODE_ID_LABEL, TASK_ID_LABEL } from './container-labels.js';
import type { Engine } from './engine.js';
import type { EngineState } from './executor.js';
import { jsonLines } from './json-lines.js';

const RETRY: BackoffPolicy = { initial: 100, max: 2_000 };

export interface ContainerEvent {
  readonly taskId: string;
  readonly action: string;
}

/**
 * The Engine's event stream for this node's containers, opened again whenever it breaks. `onEngine`
 * tells each opening (what happened in between was not seen: list again) and the first failure of a row.
 */
export function watchEvents(
  options: { readonly engine: Engine; readonly nodeId: string; readonly clock: Clock },
  onEvent: (event: ContainerEvent) => void,
  onEngine: (state: EngineState) => void,
): () => void {
  const abort = new AbortController();
  const { signal } = abort;
  let failures = 0;
  let cancelRetry = (): void => undefined;

  const follow = async (): Promise<void> => {
    const stream = await options.engine.call(0, signal, (docker, abortSignal) =>
      docker.getEvents({ ...filters(options.nodeId), abortSignal }),
    );
    failures = 0;
    onEngine({ reachable: true });
    for await (const message of jsonLines(stream)) {
      const event = readEvent(message);
      if (event !== undefined) onEvent(event);
    }
    throw new Error('the event stream of the Docker Engine ended');
  };
  const run = (): void => {
    follow().catch((error: unknown) => {
      if (signal.aborted) return;
      if (failures === 0) onEngine({ reachable: false, error: errorMessage(error) });
      cancelRetry = options.clock.schedule(backoffDelay(RETRY, failures), run);
      failures += 1;
    });
  };

  run();
  return () => {
    abort.abort();
    cancelRetry();
  };
}

/** Without this choice each probe of a health check would send three events. */
const filters = (nodeId: string): { filters: string } => ({
  filters: JSON.stringify({
    type: ['container'],
    label: [`${NODE_ID_LABEL}=${nodeId}`],
    event: ['start', 'die', 'destroy', 'oom', 'health_status', 'pause', 'unpause'],
  }),
});

/** An event: `{Action, Actor: {Attributes: labels}}`. */
function readEvent(message: unknown): ContainerEvent | undefined {
  if (typeof message !== 'object' || message === null || !('Action' in message) || !('Actor' in message)) return;
  const { Action: action, Actor: actor } = message;
  if (typeof actor !== 'object' || actor === null || !('Attributes' in actor)) return;
  const labels = actor.Attributes;
  if (typeof labels !== 'object' || labels === null) return;
  const taskId: unknown = Reflect.get(labels, TASK_ID_LABEL);
  return typeof taskId === 'string' && typeof action === 'string' ? { taskId, action } : undefined;
}
