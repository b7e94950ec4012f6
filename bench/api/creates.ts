import type { ControlPlane } from '../cluster/swarms.js';
import { CREATE, unplaceable } from './fill.js';
import type { ProcessorTime } from './processor-time.js';
import { Samples } from './samples.js';
import { timedRequest } from './timed-request.js';

const CONCURRENCY = 8;

export interface Creates {
  readonly count: number;
  readonly perSecond: number;
  /** The fewest in one whole second. */
  readonly slowestSecond: number;
  readonly latencies: Samples;
}

/** Creates services of one replica as fast as eight clients get answers, for `seconds`. */
export async function sustainedCreates(
  plane: ControlPlane,
  seconds: number,
  processorTime: ProcessorTime,
): Promise<Creates> {
  const latencies = new Samples();
  const bySecond = Array.from({ length: seconds }, () => 0);
  const before = await processorTime();
  const begun = performance.now();
  const elapsed = (): number => (performance.now() - begun) / 1_000;
  let next = 0;
  const client = async (): Promise<void> => {
    while (elapsed() < seconds) {
      const body = unplaceable(`create-${next}`, 1);
      next += 1;
      latencies.add((await timedRequest(plane.socket, CREATE, { method: 'POST', body })).ms);
      const second = Math.floor(elapsed());
      if (second < seconds) bySecond[second] = (bySecond[second] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, client));
  const taken = elapsed();
  latencies.processorTime = (await processorTime()) - before;
  return {
    count: latencies.count,
    perSecond: latencies.count / taken,
    slowestSecond: Math.min(...bySecond),
    latencies,
  };
}
