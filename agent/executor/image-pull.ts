import { abortError } from '../../core/abort.js';
import { BaleError, isBaleError } from '../../core/errors.js';
import { engineError } from './engine-error.js';
import type { Engine } from './engine.js';
import { parseImageReference } from './image-reference.js';
import { jsonLines } from './json-lines.js';

interface Pull {
  readonly done: Promise<void>;
  readonly listeners: Set<(line: string) => void>;
  readonly abort: AbortController;
}

/**
 * Pulls of one Engine. Tasks that want the same image share one pull; it goes on while any of them
 * still wants it and is aborted with the last.
 */
export class ImagePulls {
  readonly #engine: Engine;
  readonly #running = new Map<string, Pull>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Makes `image` present. `progress` gets the Engine's lines. */
  async ensure(image: string, progress: (line: string) => void, signal: AbortSignal): Promise<void> {
    if (await this.#isPresent(image, signal)) return;
    const pull = this.#running.get(image) ?? this.#begin(image);
    pull.listeners.add(progress);
    try {
      await untilAborted(pull.done, signal);
    } finally {
      pull.listeners.delete(progress);
      if (pull.listeners.size === 0) pull.abort.abort();
    }
  }

  #begin(image: string): Pull {
    const abort = new AbortController();
    const listeners = new Set<(line: string) => void>();
    const done = this.#pull(image, listeners, abort.signal).finally(() => {
      if (this.#running.get(image)?.abort === abort) this.#running.delete(image);
    });
    done.catch(() => undefined); // each waiter gets the error; there may be none left
    const pull = { done, listeners, abort };
    this.#running.set(image, pull);
    abort.signal.addEventListener('abort', () => {
      // A task that comes now must not join a pull that is ending.
      if (this.#running.get(image) === pull) this.#running.delete(image);
    });
    return pull;
  }

  async #pull(image: string, listeners: ReadonlySet<(line: string) => void>, signal: AbortSignal): Promise<void> {
    try {
      const stream = await this.#engine.call(0, signal, (docker, abortSignal) =>
        docker.createImage({ ...parseImageReference(image), abortSignal }),
      );
      for await (const message of jsonLines(stream)) {
        const { line, error } = readProgress(message);
        if (error !== undefined) throw pullFailed(image, error);
        for (const listener of listeners) listener(line);
      }
    } catch (error) {
      if (signal.aborted) throw abortError();
      if (isBaleError(error, 'BALE_IMAGE_PULL_FAILED')) throw error;
      const cause = engineError(error);
      // A stream that breaks is an Engine that went away, not a registry that refused.
      throw isBaleError(cause, 'BALE_ENGINE_UNAVAILABLE') ? cause : pullFailed(image, cause.message);
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

const pullFailed = (image: string, text: string): BaleError =>
  new BaleError(`No such image: ${image}: ${text}`, { kind: 'not-found', code: 'BALE_IMAGE_PULL_FAILED' });

/** A line of the Engine's pull stream: `{status, id?, progress?}` or `{error}`. */
function readProgress(message: unknown): { readonly line: string; readonly error?: string } {
  if (typeof message !== 'object' || message === null) return { line: '' };
  const text = (name: string): string => {
    const value: unknown = Reflect.get(message, name);
    return typeof value === 'string' ? value : '';
  };
  const line = [text('id'), text('status'), text('progress')].filter((part) => part !== '').join(' ');
  return text('error') === '' ? { line } : { line, error: text('error') };
}

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
