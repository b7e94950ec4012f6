import { isBaleError } from '../../core/errors.js';
import { attachedOutput } from './attached-output.js';
import { engineError } from './engine-error.js';
import type { Engine } from './engine.js';
import type { HealthCheck, ProbeResult } from './health-check.js';
import { StartGate } from './start-gate.js';

/** Bound of each Engine call, seconds. */
const QUICK = 30;
/** A probe keeps others waiting no longer than this, ms: beginning one is what costs the machine. */
const HOLD = 1_000;

/**
 * Runs health checks inside containers.
 *
 * Invariant: a container has at most one such process. The Engine has no call that ends one, so one whose
 * end was not seen is asked about before another is begun.
 */
export class ExecProbes {
  readonly #engine: Engine;
  readonly #gate: StartGate;
  /** Ids of the processes whose end was not seen, by container. */
  readonly #unfinished = new Map<string, string>();

  /** `width`: how many are begun at once. */
  constructor(engine: Engine, width: number) {
    this.#engine = engine;
    this.#gate = new StartGate(width);
  }

  async run(containerId: string, check: HealthCheck, signal: AbortSignal): Promise<ProbeResult> {
    const earlier = this.#unfinished.get(containerId);
    if (earlier !== undefined && (await this.#exitCode(earlier, signal)) === 'runs') return { kind: 'hangs' };
    return new Promise((resolve, reject) => {
      this.#gate
        .run('start', signal, async () => {
          const probe = this.#probe(containerId, check, signal);
          probe.then(resolve, reject);
          await ended(probe, HOLD);
        })
        .catch(reject);
    });
  }

  /** The container is gone. */
  forget(containerId: string): void {
    this.#unfinished.delete(containerId);
  }

  async #probe(containerId: string, check: HealthCheck, signal: AbortSignal): Promise<ProbeResult> {
    const exec = await this.#engine.call(QUICK, signal, (docker, abortSignal) =>
      docker
        .getContainer(containerId)
        .exec({ AttachStdout: true, AttachStderr: true, Cmd: [...check.command], abortSignal }),
    );
    this.#unfinished.set(containerId, exec.id);
    const stream = await this.#engine.call(QUICK, signal, (_, abortSignal) => exec.start({ abortSignal }));
    const output = await attachedOutput(stream, check.timeout, signal).catch((error: unknown) => {
      throw engineError(error);
    });
    if (output === undefined) return { kind: 'hangs' };
    const exitCode = await this.#exitCode(exec.id, signal);
    if (exitCode === 'runs') return { kind: 'hangs' };
    this.#unfinished.delete(containerId);
    return { kind: 'ended', exitCode, output };
  }

  async #exitCode(execId: string, signal: AbortSignal): Promise<number | 'runs'> {
    try {
      const info = await this.#engine.call(QUICK, signal, (docker, abortSignal) =>
        docker.getExec(execId).inspect({ abortSignal }),
      );
      return info.Running ? 'runs' : (info.ExitCode ?? UNKNOWN);
    } catch (error) {
      // The Engine forgets such processes when it starts again.
      if (isBaleError(error, 'BALE_CONTAINER_NOT_FOUND')) return UNKNOWN;
      throw error;
    }
  }
}

/** Exit code of a process that ended in a way that nobody knows. */
const UNKNOWN = -1;

/** Resolves when `work` has ended, in whatever way, or after `ms`. */
async function ended(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}
