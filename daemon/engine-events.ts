import { type IncomingMessage, request } from 'node:http';
import type { Clock } from '../core/clock.js';
import { errorMessage } from '../core/errors.js';
import type { Logger } from '../core/logger.js';

/** How long the Engine may take to begin its answer, ms. */
const PATIENCE_MS = 2_000;
/** How long after its stream broke it is asked again, ms. */
const RETRY_MS = 1_000;
/** No event is as long. */
const LONGEST_LINE = 4 * 1024 * 1024;

export interface EngineEventsOptions {
  readonly engineSocket: string;
  /** As the client asked, version and query included. */
  readonly url: string;
  /** ms since the epoch: from then on the Engine's stream is over when it ends. */
  readonly until: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The first answer of the Engine, whatever its status; undefined when it gives none in time. */
export async function askEngine(
  { engineSocket, url, clock, logger }: EngineEventsOptions,
  signal: AbortSignal,
): Promise<IncomingMessage | undefined> {
  if (signal.aborted) return undefined;
  const call = request({ socketPath: engineSocket, path: url, agent: false, headers: { host: 'bale' } });
  const giveUp = (): void => void call.destroy(new Error('no answer in time'));
  const cancel = clock.schedule(PATIENCE_MS, giveUp);
  signal.addEventListener('abort', giveUp);
  try {
    return await new Promise((resolve, reject) => {
      call.on('response', resolve);
      call.on('error', reject);
      call.end();
    });
  } catch (error) {
    if (!signal.aborted) logger.warn({ err: errorMessage(error) }, 'the Engine does not tell its events');
    return undefined;
  } finally {
    cancel();
    signal.removeEventListener('abort', giveUp);
  }
}

/**
 * Hands on the Engine's events, some whole lines at a time, from its first answer on. An Engine that goes away is asked
 * again until it is back: the cluster's events go on without it. Resolves when there is nothing more to come.
 */
export async function followEngine(
  options: EngineEventsOptions,
  first: IncomingMessage | undefined,
  onLines: (lines: Buffer) => void,
  signal: AbortSignal,
): Promise<void> {
  const { clock, until, url } = options;
  let answer = first;
  let lostAt: number | undefined;
  for (;;) {
    if (answer !== undefined) {
      await readLines(answer, onLines, signal);
      lostAt = clock.now();
    }
    if (signal.aborted || (until !== undefined && clock.now() >= until)) return;
    await pause(clock, RETRY_MS, signal);
    if (signal.aborted) return;
    const again = await askEngine({ ...options, url: lostAt === undefined ? url : asOf(url, lostAt) }, signal);
    if (again?.statusCode !== 200) again?.destroy();
    answer = again?.statusCode === 200 ? again : undefined;
  }
}

/** Resolves at the end of the answer, however it comes. */
async function readLines(
  answer: IncomingMessage,
  onLines: (lines: Buffer) => void,
  signal: AbortSignal,
): Promise<void> {
  const stop = (): void => void answer.destroy();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of answer) {
      // Without an encoding a message gives buffers alone.
      const bytes = Buffer.concat([rest, chunk as Buffer]);
      const end = bytes.lastIndexOf(0x0a) + 1;
      if (end > 0) onLines(bytes.subarray(0, end));
      rest = bytes.subarray(end);
      if (rest.length > LONGEST_LINE) return;
    }
  } catch {
    // Broken off: to be asked again, as after any end.
  } finally {
    signal.removeEventListener('abort', stop);
    answer.destroy();
  }
}

/** The same question from a later time on. */
function asOf(url: string, moment: number): string {
  const mark = url.indexOf('?');
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  query.set('since', (moment / 1_000).toFixed(3));
  return `${mark < 0 ? url : url.slice(0, mark)}?${query.toString()}`;
}

/** Resolves after `ms`, or at once when `signal` aborts. */
function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.schedule(ms, done);
    function done(): void {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    }
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });
}
