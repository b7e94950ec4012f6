import { cpus, hostname, totalmem, type, arch } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../core/clock.js';
import { errorMessage, isAbortError } from '../../core/errors.js';
import type { NodeDescription } from '../../proto/engine/node-document.js';
import type { EngineState, Executor } from '../executor/executor.js';

/** How often the description is read again, ms; labels, plugins and memory of an Engine do change. */
const REFRESH = 20_000;
/** An Engine that takes longer to describe itself does not answer, ms. */
const PATIENCE = 10_000;

export interface Condition {
  readonly description: NodeDescription;
  /** Empty while the Engine answers. */
  readonly engineError: string;
}

/** What this node tells its managers about itself and its Engine, kept up to date. */
export class NodeCondition {
  readonly #executor: Pick<Executor, 'describe'>;
  readonly #clock: Clock;
  readonly #onChange: (condition: Condition) => void;
  readonly #closing = new AbortController();
  /** Resolves once the Engine was asked for the first time, whatever it answered. */
  readonly ready: Promise<void>;
  #current: Condition = { description: machineOnly(), engineError: 'the Docker Engine was not asked yet' };
  #cancel: () => void = () => undefined;
  #asking: Promise<void> | undefined;
  /** The last news of the event stream since the question under way was asked. */
  #news: EngineState | undefined;

  constructor(executor: Pick<Executor, 'describe'>, clock: Clock, onChange: (condition: Condition) => void) {
    this.#executor = executor;
    this.#clock = clock;
    this.#onChange = onChange;
    this.ready = this.#refresh();
  }

  get current(): Condition {
    return this.#current;
  }

  /** News of the Engine's event stream. */
  engine(state: EngineState): void {
    this.#news = state;
    if (state.reachable) void this.#refresh();
    else this.#set({ ...this.#current, engineError: state.error });
  }

  close(): void {
    this.#closing.abort();
    this.#cancel();
  }

  /** Asks the Engine now; a question under way is answer enough, unless there was news to the contrary meanwhile. */
  #refresh(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
      this.#cancel();
      if (this.#closing.signal.aborted) return;
      this.#cancel = this.#clock.schedule(REFRESH, () => void this.#refresh());
    });
    return this.#asking;
  }

  async #ask(): Promise<void> {
    for (;;) {
      this.#news = undefined;
      const condition = await this.#question();
      const reachable = condition.engineError === '';
      if (this.#isKnownAs(!reachable) && !this.#closing.signal.aborted) continue;
      this.#set(condition);
      return;
    }
  }

  /** Whether the event stream told this since the question under way was asked. */
  #isKnownAs(reachable: boolean): boolean {
    return this.#news?.reachable === reachable;
  }

  async #question(): Promise<Condition> {
    const abort = new AbortController();
    const onClose = (): void => {
      abort.abort();
    };
    this.#closing.signal.addEventListener('abort', onClose);
    const cancel = this.#clock.schedule(PATIENCE, onClose);
    try {
      return { description: await this.#executor.describe(abort.signal), engineError: '' };
    } catch (error) {
      const engineError = isAbortError(error)
        ? `the Docker Engine does not answer: no answer within ${PATIENCE / 1000} s`
        : errorMessage(error);
      return { ...this.#current, engineError };
    } finally {
      cancel();
      this.#closing.signal.removeEventListener('abort', onClose);
    }
  }

  #set(condition: Condition): void {
    if (this.#closing.signal.aborted || isDeepStrictEqual(condition, this.#current)) return;
    this.#current = condition;
    this.#onChange(condition);
  }
}

/** What is known of a machine whose Engine has never answered. */
const machineOnly = (): NodeDescription => ({
  Hostname: hostname(),
  Platform: {
    Architecture: arch() === 'x64' ? 'x86_64' : arch() === 'arm64' ? 'aarch64' : arch(),
    OS: type().toLowerCase(),
  },
  Resources: { NanoCPUs: cpus().length * 1e9, MemoryBytes: totalmem() },
  Engine: { EngineVersion: '', Plugins: [] },
});
