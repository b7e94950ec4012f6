import type { Assignment } from '../../proto/assignment.js';
import type { NodeDescription } from '../../proto/engine/node-document.js';
import type { PortConfig } from '../../proto/engine/service-spec.js';
import type { HealthCheck, ProbeResult } from './health-check.js';
import type { PayloadLookup } from '../worker/payload-shelf.js';

/** A container of this node, as the executor knows it. */
export interface ContainerState {
  readonly taskId: string;
  readonly serviceId: string;
  readonly containerId: string;
  readonly phase: 'created' | 'running' | 'exited';
  /** Absent when the container has no health check. */
  readonly health?: 'starting' | 'healthy' | 'unhealthy';
  /** Its health check; absent when it has none that the Engine runs. */
  readonly check?: HealthCheck;
  /** While unhealthy: what the Engine's last probe said. */
  readonly lastProbe?: ProbeResult;
  /** Process id on this host while running, else 0. */
  readonly pid: number;
  readonly exitCode: number;
  /** Out-of-memory kill, or the Engine's own error text at start. Empty when none. */
  readonly error: string;
  /** Where the mesh dials it; absent while it does not run. */
  readonly address?: string;
  /** Host-mode ports as the Engine bound them. */
  readonly hostPorts: readonly PortConfig[];
}

/**
 * Runs containers on one Engine. Implementations (docker, simulated) pass test/conformance/executor.ts.
 *
 * Contract: every method is idempotent and safe to repeat after a crash at any point; it touches only
 * containers that carry this node's id; it throws BaleErrors whose message carries the Engine's own text.
 * An Engine that does not answer: BALE_ENGINE_UNAVAILABLE, which callers may retry.
 */
export interface Executor {
  /** The machine and its Engine. */
  describe(signal: AbortSignal): Promise<NodeDescription>;
  /** Every container of this node, running or not. */
  list(signal: AbortSignal): Promise<readonly ContainerState[]>;
  /** One container, or undefined when the task has none. */
  inspect(taskId: string, signal: AbortSignal): Promise<ContainerState | undefined>;
  /**
   * Makes the image present; at most one pull per image at a time. `lookup` gives the service's registry
   * credentials, `progress` gets one line at a time.
   */
  pull(
    assignment: Assignment,
    lookup: PayloadLookup,
    progress: (line: string) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Puts the task's secrets and configs where its container finds them, in memory only. Needed before
   * `create`, and again before `start`: the memory may have been lost in between.
   */
  provide(assignment: Assignment, lookup: PayloadLookup, signal: AbortSignal): Promise<void>;
  /** Takes them away again. Absent: nothing. */
  withdraw(taskId: string): Promise<void>;
  /** Creates the container, not started. An existing one of the task is kept. */
  create(assignment: Assignment, signal: AbortSignal): Promise<void>;
  /** Starts it; resolves once the Engine says it runs. A running one is left alone. */
  start(taskId: string, signal: AbortSignal): Promise<ContainerState>;
  /**
   * Runs its health check once, inside it, as the Engine would. At most one at a time per container: while
   * one that took too long still runs, none is begun. An abort ends the wait, not the process.
   */
  probe(taskId: string, check: HealthCheck, signal: AbortSignal): Promise<ProbeResult>;
  /** Stop signal, grace (ns), SIGKILL; resolves when it does not run. Absent or exited: nothing. */
  stop(taskId: string, graceNs: number, signal: AbortSignal): Promise<void>;
  /** Removes the container, its anonymous volumes and what `provide` put there. Absent: nothing. */
  remove(taskId: string, signal: AbortSignal): Promise<void>;
  /**
   * News of this node's containers: started, died, health changed, removed. Calls `listener` with the task
   * id; who wants to know more inspects. Survives Engine restarts (`onEngine` tells). The returned function ends it.
   */
  watch(listener: (taskId: string) => void, onEngine: (state: EngineState) => void): () => void;
}

export type EngineState = { readonly reachable: true } | { readonly reachable: false; readonly error: string };
