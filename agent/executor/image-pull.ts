import { abortError, pause } from '../../core/abort.js';
import { BaleError, errorMessage, isAbortError, isBaleError } from '../../core/errors.js';
import { registryOf } from '../../proto/engine/image-name.js';
import type { AuthConfig } from '../../proto/registry/auth-config.js';
import type { CredentialLookup } from '../../proto/registry/registry-credentials.js';
import { engineError } from './engine-error.js';
import type { Engine } from './engine.js';
import { parseImageReference } from './image-reference.js';
import { jsonLines } from './json-lines.js';
import { isRefusal, judgePullFailure } from './pull-failure.js';
import { describeProgress, text, withLine, type PullProgress } from './pull-progress.js';
import { StartGate } from './start-gate.js';

interface Pull {
  readonly done: Promise<void>;
  readonly listeners: Set<(line: string) => void>;
  readonly abort: AbortController;
}

/** Images that are pulled at once; the Engine takes the layers of each several at a time. */
const WIDTH = 3;

/**
 * Pulls of one Engine. Tasks that want the same image share one pull; it goes on while any of them
 * still wants it and is aborted with the last.
 */
export class ImagePulls {
  readonly #engine: Engine;
  readonly #credentials: CredentialLookup;
  readonly #gate = new StartGate(WIDTH);
  #pulling = 0;
  /** By image and credentials: a task with the right ones does not share the fate of one with wrong ones. */
  readonly #running = new Map<string, Pull>();

  /** `credentials` are the node's own. */
  constructor(engine: Engine, credentials: CredentialLookup) {
    this.#engine = engine;
    this.#credentials = credentials;
  }

  /**
   * Makes `image` present; `fresh`: as the registry has it now. `given` are the credentials of its service; without them, or when the registry
   * refuses them, the node's own are used. `progress` gets a line at a time. Throws
   * BALE_IMAGE_PULL_FAILED with the registry's words.
   */
  async ensure(
    image: string,
    given: AuthConfig | undefined,
    progress: (line: string) => void,
    signal: AbortSignal,
    fresh = false,
  ): Promise<void> {
    signal.throwIfAborted();
    const key = JSON.stringify([image, given, fresh]);
    const pull = this.#running.get(key) ?? this.#begin(key, image, given, fresh);
    pull.listeners.add(progress);
    try {
      await untilAborted(pull.done, signal);
    } finally {
      pull.listeners.delete(progress);
      if (pull.listeners.size === 0) pull.abort.abort();
    }
  }

  #begin(key: string, image: string, given: AuthConfig | undefined, fresh: boolean): Pull {
    const abort = new AbortController();
    const listeners = new Set<(line: string) => void>();
    const tell = (line: string): void => {
      for (const listener of listeners) listener(line);
    };
    const done = this.#run(image, given, fresh, tell, abort.signal).finally(() => {
      if (this.#running.get(key)?.abort === abort) this.#running.delete(key);
    });
    done.catch(() => undefined); // each waiter gets the error; there may be none left
    const pull = { done, listeners, abort };
    this.#running.set(key, pull);
    abort.signal.addEventListener('abort', () => {
      // A task that comes now must not join a pull that is ending.
      if (this.#running.get(key) === pull) this.#running.delete(key);
    });
    return pull;
  }

  async #run(
    image: string,
    given: AuthConfig | undefined,
    fresh: boolean,
    tell: (line: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const isEnough = (): Promise<boolean> => (fresh ? Promise.resolve(false) : this.#isPresent(image, signal));
    if (await isEnough()) return;
    if (this.#pulling >= WIDTH) tell('waiting for other pulls of this node');
    await this.#gate.run('create', signal, async () => {
      this.#pulling += 1;
      try {
        if (!(await isEnough())) await this.#persist(image, given, tell, signal);
      } finally {
        this.#pulling -= 1;
      }
    });
  }

  /** Pulls until it is done, or until asking again would not help. */
  async #persist(
    image: string,
    given: AuthConfig | undefined,
    tell: (line: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const failure = await this.#attempt(image, given, tell, signal);
      if (failure === undefined) return;
      const verdict = judgePullFailure(failure, attempt);
      if (verdict.kind === 'give-up') throw pullFailed(image, failure);
      tell(`${failure}; ${verdict.reason}, trying again in ${verdict.delay / 1000} s`);
      await pause(verdict.delay, signal);
    }
  }

  /** Asks once, with each set of credentials that may do. The words of the failure, or undefined. */
  async #attempt(
    image: string,
    given: AuthConfig | undefined,
    tell: (line: string) => void,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const first = given === undefined ? undefined : await this.#pull(image, given, tell, signal);
    if (given !== undefined && (first === undefined || !isRefusal(first))) return first;
    const own = await this.#ownCredentials(image, signal);
    if (given !== undefined && own.auth === undefined) return first;
    const failure = await this.#pull(image, own.auth, tell, signal);
    return failure === undefined || own.problem === undefined ? failure : `${failure} (${own.problem})`;
  }

  /** A helper that fails does not stop the pull: the image may be there for everybody. */
  async #ownCredentials(
    image: string,
    signal: AbortSignal,
  ): Promise<{ readonly auth?: AuthConfig; readonly problem?: string }> {
    try {
      const auth = await this.#credentials(registryOf(image), signal);
      return auth === undefined ? {} : { auth };
    } catch (error) {
      signal.throwIfAborted();
      return { problem: errorMessage(error) };
    }
  }

  async #pull(
    image: string,
    auth: AuthConfig | undefined,
    tell: (line: string) => void,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    try {
      const authconfig = auth === undefined ? {} : { authconfig: { ...auth } };
      const stream = await this.#engine.call(0, signal, (docker, abortSignal) =>
        docker.createImage({ ...parseImageReference(image), ...authconfig, abortSignal }),
      );
      let progress: PullProgress = new Map();
      for await (const message of jsonLines(stream)) {
        const error = text(message, 'error');
        if (error !== '') return error;
        progress = withLine(progress, message);
        tell(describeProgress(progress) ?? text(message, 'status'));
      }
      return undefined;
    } catch (error) {
      if (signal.aborted || isAbortError(error)) throw abortError();
      const cause = engineError(error);
      // A stream that breaks is an Engine that went away, not a registry that refused.
      if (isBaleError(cause, 'BALE_ENGINE_UNAVAILABLE')) throw cause;
      return cause.message;
    }
  }

  async #isPresent(image: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#engine.call(30, signal, (docker) => docker.getImage(image).inspect());
      return true;
    } catch (error) {
      if (isBaleError(error, 'BALE_IMAGE_NOT_FOUND')) return false;
      throw error;
    }
  }
}

const pullFailed = (image: string, words: string): BaleError =>
  new BaleError(`No such image: ${image}: ${words}`, { kind: 'not-found', code: 'BALE_IMAGE_PULL_FAILED' });

function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(abortError());
    };
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}
