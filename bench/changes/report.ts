import { LOAD_KINDS, type Failure, type LoadResult } from '../../test/support/load/load-types.js';
import { Latencies } from '../../test/support/load/latencies.js';

/** What came of one run under load. */
export interface RunSummary {
  readonly name: string;
  /** Without those that the fault excuses. */
  readonly failed: number;
  /** Of all kinds together, in words. */
  readonly latencies: string;
  readonly times: string;
}

const SHOWN_FAILURES = 20;

const ms = (value: number): string => value.toFixed(value < 10 ? 1 : 0);

const quantiles = (all: Latencies): string =>
  `p50 ${ms(all.percentile(0.5))}, p99 ${ms(all.percentile(0.99))}, worst ${ms(all.worst)} ms`;

const failedOf = ({ kinds }: LoadResult): number => LOAD_KINDS.reduce((sum, kind) => sum + kinds[kind].failed, 0);

/** One line about a run under load, then one per kind of request, then the failures that count. */
export function printRun(
  name: string,
  result: LoadResult,
  times: string,
  excuses: ((failure: Failure) => boolean) | undefined,
): RunSummary {
  const requests = LOAD_KINDS.reduce((sum, kind) => sum + result.kinds[kind].requests, 0);
  const counted = excuses === undefined ? result.failures : result.failures.filter((failure) => !excuses(failure));
  const excused = result.failures.length - counted.length;
  // Failures beyond those that were kept in full count too.
  const failed = failedOf(result) - excused;
  const inFlight = excuses === undefined ? '' : `, ${excused} in flight on what was killed`;
  const lag = `generator late by up to ${ms(result.worstLag)} ms`;
  const rate = (requests / result.seconds).toFixed(0);
  console.log(`${name}: ${requests} requests (${rate}/s), ${failed} failed${inFlight}; ${lag}; ${times}`);
  for (const kind of LOAD_KINDS) {
    const { requests: count, failed: lost, latencies } = result.kinds[kind];
    const shape = quantiles(new Latencies(latencies.buckets, latencies.worst));
    console.log(`    ${kind.padEnd(10)} ${String(count).padStart(7)} requests, ${lost} failed, ${shape}`);
  }
  for (const { kind, node, phase, at, error, after } of counted.slice(0, SHOWN_FAILURES))
    console.log(
      `    FAILED ${new Date(at).toISOString()} ${kind} on ${node} during ${phase}, after ${after} ms: ${error}`,
    );
  const latencies = new Latencies();
  for (const kind of LOAD_KINDS) {
    const { buckets, worst } = result.kinds[kind].latencies;
    latencies.merge(new Latencies(buckets, worst));
  }
  return { name, failed, latencies: quantiles(latencies), times };
}

/** The same change done in several ways, one line each. */
export function printBeside(runs: readonly RunSummary[]): void {
  console.log('the same rolling update under the same load:');
  for (const { name, failed, latencies, times } of runs)
    console.log(`    ${name.padEnd(30)} ${failed} failed, ${latencies}; ${times}`);
}
