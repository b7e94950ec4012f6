import { Samples } from '../api/samples.js';
import type { Costs, Daemons } from './costs.js';
import { LogReader } from './log-reader.js';
import type { Writers } from './writers.js';

/** What one reader got. */
export interface Throughput {
  readonly lines: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Lines that were written meanwhile; absent: they were there before. */
  readonly written?: number;
  /** Lines and bytes of the slow reader beside it. */
  readonly slow?: { readonly lines: number; readonly bytes: number };
  readonly costs: Costs;
}

/** A log that is read back and is silent for so long is over, s: Swarm does not always end it. */
const SILENCE = 10;

export const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** All that was written, read to its end while nobody writes. */
export async function readBack(writers: Writers, daemons: Daemons, expected: number): Promise<Throughput> {
  const { plane, service } = writers;
  const costsOf = await daemons.watch(plane);
  const begun = performance.now();
  const reader = await LogReader.open({ socket: plane.socket, service, follow: false });
  const isOver = await endOrSilence(reader);
  const seconds = (reader.lastAt - begun) / 1000;
  const { lines, bytes } = reader;
  if (!isOver || lines !== expected) {
    console.log(`${plane.name}: ${lines} lines of ${expected} were read; it ${isOver ? 'ended' : 'fell silent'}`);
  }
  return { lines, bytes, seconds, costs: await costsOf() };
}

/** Whether it ended; false when it fell silent, and is closed here. */
async function endOrSilence(reader: LogReader): Promise<boolean> {
  let isOver = false;
  const ended = reader.ended.then(() => {
    isOver = true;
  });
  while (!isOver && performance.now() - reader.lastAt < SILENCE * 1000) await Promise.race([ended, pause(0.5)]);
  reader.close();
  return isOver;
}

export interface FollowOptions {
  /** Before it is measured, and while. */
  readonly warmUp: number;
  readonly seconds: number;
  /** Bytes a second of a reader beside; absent: there is none. */
  readonly slow?: number;
}

/** What is read while all replicas write at full speed. */
export async function followFullSpeed(
  writers: Writers,
  daemons: Daemons,
  { warmUp, seconds, slow }: FollowOptions,
): Promise<Throughput> {
  const { plane, service } = writers;
  const options = { socket: plane.socket, service, follow: true, tail: 0 };
  const fast = await LogReader.open(options);
  const beside = slow === undefined ? undefined : await LogReader.open({ ...options, bytesPerSecond: slow });
  try {
    // Until all logs are open.
    await pause(2);
    await writers.begin({});
    const writing = performance.now();
    await pause(warmUp);
    const costsOf = await daemons.watch(plane);
    const begun = performance.now();
    const before = { lines: fast.lines, bytes: fast.bytes };
    await pause(seconds);
    const taken = (performance.now() - begun) / 1000;
    const got = { lines: fast.lines - before.lines, bytes: fast.bytes - before.bytes, seconds: taken };
    const costs = await costsOf();
    const written = await writers.stop();
    const rate = written / ((performance.now() - writing) / 1000);
    return {
      ...got,
      costs,
      written: rate * taken,
      ...(beside === undefined ? {} : { slow: { lines: beside.lines, bytes: beside.bytes } }),
    };
  } finally {
    fast.close();
    beside?.close();
  }
}

/** How long lines are on their way when each replica writes one a second. */
export async function followSlowly(writers: Writers, seconds: number): Promise<Samples> {
  const { plane, service } = writers;
  const reader = await LogReader.open({ socket: plane.socket, service, follow: true, tail: 0, delays: true });
  try {
    await pause(2);
    await writers.begin({ pause: 1 });
    await pause(seconds);
    const delays = new Samples();
    for (const delay of reader.delays) delays.add(delay);
    await writers.stop();
    return delays;
  } finally {
    reader.close();
  }
}
