import { setMaxListeners } from 'node:events';
import type Docker from 'dockerode';
import { abortError } from '../../core/abort.js';
import { engineError, engineUnavailable } from './engine-error.js';

export type EngineCall<T> = (docker: Docker, signal: AbortSignal) => Promise<T>;

/** One Docker Engine over its socket: loads the client on first use, bounds each call, makes its errors ours. */
export class Engine {
  readonly #socketPath: string;
  #docker: Promise<Docker> | undefined;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /**
   * Makes one call. `seconds` bounds the wait for an Engine that accepts and never answers
   * (BALE_ENGINE_UNAVAILABLE); 0 = no bound. `signal` ends the call.
   */
  async call<T>(seconds: number, signal: AbortSignal, send: EngineCall<T>): Promise<T> {
    signal.throwIfAborted();
    const ending = new AbortController();
    const onAbort = (): void => {
      ending.abort(abortError());
    };
    setMaxListeners(0, signal); // one signal may end many calls at once; Node would warn of a leak
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => {
      ending.abort(engineUnavailable(`no answer within ${seconds} s`));
    }, seconds * 1000);
    if (seconds === 0) clearTimeout(timer);
    const release = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    try {
      // Not every call of dockerode takes a signal: the wait ends with it in any case.
      const answer = await Promise.race([send(await this.#load(), ending.signal), rejection(ending.signal)]);
      // A call without a bound hands out a stream that lives on: its signal stays connected.
      if (seconds !== 0) release();
      return answer;
    } catch (error) {
      release();
      throw engineError(ending.signal.aborted ? ending.signal.reason : error);
    }
  }

  /** dockerode brings an SSH client along: it is loaded when first needed, off the daemon's start. */
  #load(): Promise<Docker> {
    this.#docker ??= import('dockerode').then(
      // Host and protocol are set so that DOCKER_HOST of the environment cannot lead to another Engine.
      ({ default: Client }) => new Client({ socketPath: this.#socketPath, host: undefined, protocol: 'http' }),
    );
    return this.#docker;
  }
}

/** Rejects at once when the signal is aborted already: a call may be ended while its client is loaded. */
const rejection = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const onAbort = (): void => {
      reject(signal.reason as Error); // both reasons given above are errors
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
