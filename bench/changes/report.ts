import { LOAD_KINDS, type Failure, type LoadResult } from '../../test/support/load/load-types.js';
import { Latencies } from '../../test/support/load/latencies.js';

const SHOWN_FAILURES = 20;

const ms = (value: number): string => value.toFixed(value < 10 ? 1 : 0);

const quantiles = (all: Latencies): string =>
  `p50 ${ms(all.percentile(0.5))}, p99 ${ms(all.percentile(0.99))}, worst ${ms(all.worst)} ms`;

export const failedOf = ({ kinds }: LoadResult): number =>
  LOAD_KINDS.reduce((sum, kind) => sum + kinds[kind].failed, 0);

/** One line about a run under load, then one per kind of request, then the failures that count. */
export function printRun(
  name: string,
  result: LoadResult,
  times: string,
  excuses: ((failure: Failure) => boolean) | undefined,
): number {
  const requests = LOAD_KINDS.reduce((sum, kind) => sum + result.kinds[kind].requests, 0);
  const counted = excuses === undefined ? result.failures : result.failures.filter((failure) => !excuses(failure));
  const excused = result.failures.length - counted.length;
  // Failures beyond those that were kept in full count too.
  const failed = failedOf(result) - excused;
  const inFlight = excuses === undefined ? '' : `, ${excused} in flight on what was killed`;
  const rate = (requests / result.seconds).toFixed(0);
  console.log(`${name}: ${requests} requests (${rate}/s), ${failed} failed${inFlight}; ${times}`);
  for (const kind of LOAD_KINDS) {
    const { requests: count, failed: lost, latencies } = result.kinds[kind];
    const shape = quantiles(new Latencies(latencies.buckets, latencies.worst));
    console.log(`    ${kind.padEnd(10)} ${String(count).padStart(7)} requests, ${lost} failed, ${shape}`);
  }
  for (const { kind, node, phase, at, error, after } of counted.slice(0, SHOWN_FAILURES))
    console.log(
      `    FAILED ${new Date(at).toISOString()} ${kind} on ${node} during ${phase}, after ${after} ms: ${error}`,
    );
  return failed;
}
