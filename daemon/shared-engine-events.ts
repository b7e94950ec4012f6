import { askEngine, type EngineEventsOptions, followEngine } from './engine-events.js';

/** Whole lines of the Engine's; all who listen get the same bytes. */
export type LinesListener = (lines: Buffer) => void;

interface SharedStream {
  readonly listeners: Set<LinesListener>;
  readonly end: AbortController;
  /** Whether the Engine took the request, or did not answer it in time. */
  readonly taken: Promise<boolean>;
}

/**
 * The Engine's events for all who ask it the same: one connection to it for each question, however many watch.
 * Only for questions about what happens from now on: who asks for the past, or for an end, has an answer of his own.
 *
 * Invariant: a stream in `#streams` has a listener; with the last of them its connection closes.
 */
export class SharedEngineEvents {
  readonly #options: Omit<EngineEventsOptions, 'url' | 'until'>;
  readonly #streams = new Map<string, SharedStream>();

  constructor(options: Omit<EngineEventsOptions, 'url' | 'until'>) {
    this.#options = options;
  }

  /**
   * Has `listener`, which waits for nobody, told of what happens from now on, until `signal` aborts. Resolves with
   * true once the Engine has taken the request `url`, or did not answer in time and is asked again; with false when it
   * refuses: then nobody listens, and its words are to be asked for.
   */
  async follow(url: string, listener: LinesListener, signal: AbortSignal): Promise<boolean> {
    const stream = this.#streams.get(url) ?? this.#open(url);
    stream.listeners.add(listener);
    const leave = (): void => {
      stream.listeners.delete(listener);
      if (stream.listeners.size > 0) return;
      stream.end.abort();
      if (this.#streams.get(url) === stream) this.#streams.delete(url);
    };
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    const taken = await stream.taken;
    if (!taken) {
      signal.removeEventListener('abort', leave);
      leave();
    }
    return taken;
  }

  #open(url: string): SharedStream {
    const listeners = new Set<LinesListener>();
    const end = new AbortController();
    const stream = { listeners, end, taken: this.#begin(url, listeners, end.signal) };
    this.#streams.set(url, stream);
    return stream;
  }

  async #begin(url: string, listeners: ReadonlySet<LinesListener>, signal: AbortSignal): Promise<boolean> {
    const question = { ...this.#options, url, until: undefined };
    const answer = await askEngine(question, signal);
    if (answer !== undefined && answer.statusCode !== 200) {
      answer.destroy();
      return false;
    }
    const tell = (lines: Buffer): void => {
      for (const listener of listeners) listener(lines);
    };
    void followEngine(question, answer, tell, signal);
    return true;
  }
}
