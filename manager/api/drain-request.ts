import { BaleError } from '../../core/errors.js';
import { parseDuration } from '../../proto/engine/duration.js';
import type { DrainLimits } from '../updater/node-drain.js';

const NS_PER_MS = 1e6;
/** As long as a timer can be, about 24 days. */
const LONGEST_DEADLINE = 24 * 24 * 3_600_000;

/** Characters of a wrong value that are repeated. */
const SHOWN = 64;

/** The query of `POST /bale/nodes/{id}/drain`, as sent. */
export interface DrainRequest {
  /** As Go prints durations. */
  readonly deadline: string | undefined;
  readonly maxParallel: string | undefined;
}

/** Throws BALE_DRAIN_INVALID or BALE_DURATION_INVALID (400), naming the parameter. */
export function parseDrainRequest({ deadline, maxParallel }: DrainRequest): DrainLimits {
  return {
    ...(deadline === undefined ? {} : { deadline: positiveDuration(deadline) }),
    ...(maxParallel === undefined ? {} : { maxParallel: positiveCount(maxParallel) }),
  };
}

function positiveDuration(text: string): number {
  const milliseconds = parseDuration(text, 'deadline') / NS_PER_MS;
  if (milliseconds <= 0) throw invalid('deadline', text, 'must be longer than nothing');
  if (milliseconds > LONGEST_DEADLINE) throw invalid('deadline', text, 'must be at most 576h, which is 24 days');
  return milliseconds;
}

function positiveCount(text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw invalid('max-parallel', text, 'must be a whole number from 1');
}

const invalid = (name: string, text: string, rule: string): BaleError =>
  new BaleError(`${name}: ${JSON.stringify(text.slice(0, SHOWN))} ${rule}`, {
    kind: 'invalid',
    code: 'BALE_DRAIN_INVALID',
  });
