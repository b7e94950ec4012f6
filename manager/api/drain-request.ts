import { BaleError } from '../../core/errors.js';
import { parseDuration } from '../../proto/engine/duration.js';
import type { DrainLimits } from '../updater/node-drain.js';

const NS_PER_MS = 1e6;

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
  const nanoseconds = parseDuration(text, 'deadline');
  if (nanoseconds > 0) return nanoseconds / NS_PER_MS;
  throw invalid('deadline', text, 'must be longer than nothing');
}

function positiveCount(text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw invalid('max-parallel', text, 'must be a whole number from 1');
}

const invalid = (name: string, text: string, rule: string): BaleError =>
  new BaleError(`${name}: ${JSON.stringify(text)} ${rule}`, { kind: 'invalid', code: 'BALE_DRAIN_INVALID' });
