// Logs of a service of many replicas: lines a second at a reader, what they cost, how far a slow reader holds back
// a fast one, and how long a line is on its way. bale and Docker Swarm in turn on the same three Engines.
import { loadavg } from 'node:os';
import { median, startBoth, type ControlPlane } from '../cluster/swarms.js';
import { Daemons } from './costs.js';
import { followFullSpeed, followSlowly, pause, readBack, type Throughput } from './phases.js';
import { Writers } from './writers.js';

const setting = (name: string, value: number): number => Number(process.env[name] ?? value);
const REPLICAS = setting('REPLICAS', 60);
/** Of each replica, for what is read back. */
const LINES = setting('LINES', 5_000);
const ROUNDS = setting('ROUNDS', 3);
const SECONDS = setting('SECONDS', 8);
const WARM_UP_SECONDS = setting('WARM_UP_SECONDS', 3);
const DELAY_SECONDS = setting('DELAY_SECONDS', 15);
/** After the last reader before memory is read. */
const QUIET_SECONDS = setting('QUIET_SECONDS', 20);
/** Bytes a second of the slow reader. */
const SLOW = setting('SLOW', 1_000);
const PHASES = (process.env.PHASES ?? 'back,follow,slow,delay').split(',');
/** Messages of each request are not what a daemon writes by default. */
const FLAGS = ['--log-level=info'];

const { hosts, planes } = await startBoth(3, FLAGS);

function print(plane: ControlPlane, what: string, result: Throughput): void {
  const { lines, bytes, seconds, written, slow, costs } = result;
  const { bale, dockerd } = costs.processorTime;
  const perLine = (ms: number): string => `${((ms / lines) * 1000).toFixed(1)} µs`;
  const parts = [
    `${(lines / seconds).toFixed(0).padStart(7)} lines/s`,
    `${(bytes / seconds / 1e6).toFixed(1).padStart(6)} MB/s`,
    ...(written === undefined ? [] : [`written ${(written / seconds).toFixed(0)} lines/s`]),
    ...(slow === undefined ? [] : [`slow reader ${slow.bytes} bytes`]),
    `processor time a line: daemons of bale ${perLine(bale)}, Engines ${perLine(dockerd)}`,
    `load average ${(loadavg()[0] ?? 0).toFixed(1)}`,
  ];
  console.log(`${plane.name.padEnd(6)} ${what.padEnd(22)} ${parts.join('; ')}`);
  const memory = costs.memory.map(({ process, before, peak }) => `${process} ${before.toFixed(0)}, ${peak.toFixed(0)}`);
  console.log(`       resident MB before, most: ${memory.join('; ')}`);
}

/** Both planes in turn, the order swapped from round to round; medians of lines a second by plane. */
async function rounds(
  what: string,
  measure: (writers: Writers) => Promise<Throughput>,
): Promise<ReadonlyMap<string, number>> {
  const rates = new Map<string, number[]>(planes.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const writers of round % 2 === 0 ? both : [...both].reverse()) {
      const result = await measure(writers);
      print(writers.plane, what, result);
      rates.get(writers.plane.name)?.push(result.lines / result.seconds);
    }
  }
  const medians = new Map([...rates].map(([name, values]) => [name, median(values)]));
  console.log(`${what}, medians: ${inWords(medians, (rate) => `${rate.toFixed(0)} lines/s`)}`);
  return medians;
}

const inWords = (values: ReadonlyMap<string, number>, text: (value: number) => string): string =>
  [...values].map(([name, value]) => `${name} ${text(value)}`).join(', ');

const both: Writers[] = [];
try {
  for (const plane of planes) both.push(await Writers.create(plane, REPLICAS, hosts.host(1).directory));
  const daemons = await Daemons.find(hosts);
  if (PHASES.includes('back')) {
    for (const writers of both) {
      await writers.begin({ lines: LINES });
      await writers.written();
    }
    // The Engines are behind with what they write.
    await pause(2);
    await rounds('read back', (writers) => readBack(writers, daemons, LINES * REPLICAS));
  }
  if (PHASES.includes('delay')) {
    for (const writers of both) {
      const delays = await followSlowly(writers, DELAY_SECONDS);
      console.log(`${writers.plane.name.padEnd(6)} delay of a line, one a second of each replica: ${delays.text()}`);
    }
  }
  const follow = { warmUp: WARM_UP_SECONDS, seconds: SECONDS };
  const alone = PHASES.includes('follow')
    ? await rounds('followed', (writers) => followFullSpeed(writers, daemons, follow))
    : new Map<string, number>();
  if (PHASES.includes('slow')) {
    const beside = await rounds('with a slow reader', (writers) =>
      followFullSpeed(writers, daemons, { ...follow, slow: SLOW }),
    );
    const parts = new Map([...beside].map(([name, rate]) => [name, rate / (alone.get(name) ?? Number.NaN)]));
    console.log(`with a slow reader, of what it is without: ${inWords(parts, (part) => part.toFixed(2))}`);
  }
  await pause(QUIET_SECONDS);
  for (const plane of planes) {
    const { memory } = await (await daemons.watch(plane))();
    const text = memory.map(({ process, before }) => `${process} ${before.toFixed(0)}`).join('; ');
    console.log(`${plane.name.padEnd(6)} resident MB, ${QUIET_SECONDS} s after the last reader: ${text}`);
  }
} finally {
  await hosts[Symbol.asyncDispose]();
}
