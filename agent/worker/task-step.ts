import type { Assignment } from '../../proto/assignment.js';
import { pullsAlways } from '../../proto/engine/image-pull-label.js';
import type { TaskStatus } from '../../proto/engine/task-document.js';
import { isDesiredAlive, isTerminal, stateOrder, type TaskState } from '../../proto/engine/task-state.js';
import type { ContainerState } from '../executor/executor.js';
import { describeProbe, type HealthCheck } from '../executor/health-check.js';
import { describeWait, nextProbeAt, type Probes } from './early-probes.js';

/** Everything that is known of one task on this node. */
export interface TaskFacts {
  readonly assignment: Assignment;
  /** The manager no longer assigns it: container and task go. */
  readonly removed: boolean;
  readonly status: TaskStatus;
  readonly container: ContainerState | undefined;
  /** `container` may be out of date: the Engine told news, or a call ended without an answer. */
  readonly stale: boolean;
  /** The Engine refused to create because it lacks the image. */
  readonly imageMissing: boolean;
  /** The registry was asked for the image. */
  readonly pulled: boolean;
  /** It was unhealthy when it was last seen running. */
  readonly unhealthy: boolean;
  readonly probes: Probes;
  /** The Engine did not answer: no call before this time, ms since the epoch. */
  readonly retryAt: number;
  readonly now: number;
}

/** The one next step of a task. */
export type TaskStep =
  | {
      readonly kind: 'report';
      readonly state: TaskState;
      readonly message: string;
      readonly err?: string;
      readonly reason: string;
    }
  /** Says more about a state that stays. */
  | {
      readonly kind: 'note';
      readonly message: string;
      readonly err?: string;
      readonly health?: 'unhealthy';
      readonly reason: string;
    }
  | { readonly kind: 'probe'; readonly check: HealthCheck; readonly reason: string }
  | { readonly kind: 'inspect' | 'pull' | 'create' | 'start' | 'remove'; readonly reason: string }
  | { readonly kind: 'stop'; readonly graceNs: number; readonly reason: string }
  /** Until news, or `until` (ms since the epoch). */
  | { readonly kind: 'wait'; readonly until?: number; readonly reason: string }
  | { readonly kind: 'end'; readonly reason: string };

/** ns; what the Engine API gives a ContainerSpec without StopGracePeriod. */
const DEFAULT_STOP_GRACE = 10_000_000_000;
const NS_PER_MS = 1e6;

/** What Swarm says of a task whose health check failed. */
const UNHEALTHY = 'task: container unhealthy';

/**
 * Decides the next step of a task. The observed state only goes up, one state at a time; a task has one
 * container and one run (swarm.md 2.1). Looking at the container comes before anything that depends on it.
 */
export function nextStep(facts: TaskFacts): TaskStep {
  if (facts.retryAt > facts.now) {
    return { kind: 'wait', until: facts.retryAt, reason: 'the Engine did not answer; trying again soon' };
  }
  if (facts.stale) return { kind: 'inspect', reason: 'what is known of the container may be out of date' };
  if (facts.removed) return tearDown(facts);
  if (!isDesiredAlive(facts.assignment.desiredState)) return shutDown(facts);
  return advance(facts);
}

/** Brings a container that does not run any more back to the state its exit means. */
export function exitReport(container: ContainerState, unhealthy: boolean): TaskStep {
  if (unhealthy) {
    return failed('started', UNHEALTHY, 'the container was stopped because its health check failed');
  }
  if (container.exitCode === 0) {
    return { kind: 'report', state: 'complete', message: 'finished', reason: 'the container ended with exit code 0' };
  }
  const cause = container.error === '' ? '' : `: ${container.error}`;
  return failed('started', `task: non-zero exit (${container.exitCode})${cause}`, 'the container ended by itself');
}

/** What a task is when a step failed for good: rejected before its container was started, failed after. */
export function failureReport(state: TaskState, text: string): TaskStep {
  return stateOrder(state) < stateOrder('starting')
    ? {
        kind: 'report',
        state: 'rejected',
        message: 'preparing',
        err: text,
        reason: 'the container could not be prepared',
      }
    : failed('starting', text, 'the container could not be started');
}

function advance(facts: TaskFacts): TaskStep {
  const { container, status } = facts;
  switch (status.State) {
    case 'new':
    case 'pending':
    case 'assigned':
      return { kind: 'report', state: 'accepted', message: 'accepted', reason: 'assigned to this node' };
    case 'accepted':
      return { kind: 'report', state: 'preparing', message: 'preparing', reason: 'the task is to run' };
    case 'preparing':
      return prepare(facts);
    case 'ready':
      if (facts.assignment.desiredState === 'ready' && container?.phase === 'created') {
        return { kind: 'wait', reason: 'prepared; the manager has not said to start' };
      }
      return { kind: 'report', state: 'starting', message: 'starting', reason: 'prepared and to be run' };
    case 'starting':
      return whileStarting(facts);
    case 'running':
      return whileRunning(facts);
    case 'complete':
    case 'shutdown':
    case 'failed':
    case 'rejected':
    case 'remove':
    case 'orphaned':
      return rest(facts);
  }
}

function prepare({ assignment, container, imageMissing, pulled }: TaskFacts): TaskStep {
  if (container !== undefined) {
    return { kind: 'report', state: 'ready', message: 'prepared', reason: 'the container exists' };
  }
  if (imageMissing) return { kind: 'pull', reason: 'the Engine does not have the image' };
  return !pulled && pullsAlways(assignment.serviceLabels)
    ? { kind: 'pull', reason: 'its service has the registry asked for each task' }
    : { kind: 'create', reason: 'the task has no container' };
}

function whileStarting(facts: TaskFacts): TaskStep {
  const { container } = facts;
  if (container === undefined) return gone('starting');
  switch (container.phase) {
    case 'created':
      return { kind: 'start', reason: 'the container exists and does not run' };
    case 'exited':
      return exitReport(container, facts.unhealthy);
    case 'running':
      break;
  }
  if (container.health === 'unhealthy') return stop(facts, 'its health check failed');
  if (container.health === 'starting' && !facts.probes.passed) return awaitHealth(facts, container.check);
  return { kind: 'report', state: 'running', message: 'started', reason: 'the container runs' };
}

/** It runs and is not healthy yet: its check is run early, so that it need not wait for the Engine's first probe. */
function awaitHealth({ assignment, probes, status, now }: TaskFacts, check: HealthCheck | undefined): TaskStep {
  const err = describeWait(probes);
  if (err !== undefined && err !== status.Err) {
    return { kind: 'note', message: status.Message, err, reason: 'the health check does not pass yet' };
  }
  const { StartInterval = 0 } = assignment.spec.ContainerSpec.Healthcheck ?? {};
  const dueAt = nextProbeAt(probes, check, StartInterval === 0 ? undefined : StartInterval / NS_PER_MS);
  if (check === undefined || dueAt === undefined) {
    return { kind: 'wait', reason: "waiting for the Engine's own probe" };
  }
  return dueAt > now
    ? { kind: 'wait', until: dueAt, reason: 'waiting for the health check to pass' }
    : { kind: 'probe', check, reason: 'to see early that it is healthy' };
}

/**
 * It serves, and requests may be under way on it: that it is unhealthy is told, and the manager has it
 * stopped once the meshes let go of it. One that recovers before it is told to stop is as good as before.
 */
function whileHealthChanges({ status }: TaskFacts, container: ContainerState): TaskStep | undefined {
  if (container.health === 'unhealthy' && status.health === undefined) {
    const message =
      container.lastProbe === undefined ? 'unhealthy' : `unhealthy, ${describeProbe(container.lastProbe)}`;
    return { kind: 'note', message, err: UNHEALTHY, health: 'unhealthy', reason: 'its health check failed' };
  }
  if (container.health === 'healthy' && status.health !== undefined) {
    return { kind: 'note', message: 'started', reason: 'it is healthy again' };
  }
  return undefined;
}

function whileRunning(facts: TaskFacts): TaskStep {
  const { container } = facts;
  if (container === undefined) return gone('started');
  switch (container.phase) {
    case 'created':
      return failed('started', 'task: the container is not running', 'a task has only one run');
    case 'exited':
      return exitReport(container, facts.assignment.unhealthy === true);
    case 'running':
      return whileHealthChanges(facts, container) ?? { kind: 'wait', reason: 'the container runs' };
  }
}

/** Over: the container is kept for its logs until the task is removed, but it must not run. */
function rest(facts: TaskFacts): TaskStep {
  if (facts.container?.phase === 'running') return stop(facts, 'the task is over');
  return { kind: 'wait', reason: 'the task is over' };
}

function shutDown(facts: TaskFacts): TaskStep {
  if (facts.container?.phase === 'running') return stop(facts, 'the manager wants it shut down');
  if (isTerminal(facts.status.State)) return rest(facts);
  if (facts.assignment.unhealthy === true) {
    return failed(facts.status.Message, UNHEALTHY, 'it was told to shut down because its health check failed');
  }
  return { kind: 'report', state: 'shutdown', message: 'shutdown', reason: 'it does not run and is to be shut down' };
}

function tearDown(facts: TaskFacts): TaskStep {
  if (facts.container === undefined) return { kind: 'end', reason: 'no container is left' };
  if (facts.container.phase === 'running') return stop(facts, 'the task is no longer assigned to this node');
  return { kind: 'remove', reason: 'the task is no longer assigned to this node' };
}

const stop = (facts: TaskFacts, reason: string): TaskStep => ({
  kind: 'stop',
  graceNs: facts.assignment.spec.ContainerSpec.StopGracePeriod ?? DEFAULT_STOP_GRACE,
  reason,
});

const gone = (message: string): TaskStep =>
  failed(message, 'task: the container was removed', 'the Engine no longer has the container');

const failed = (message: string, err: string, reason: string): TaskStep => ({
  kind: 'report',
  state: 'failed',
  message,
  err,
  reason,
});
