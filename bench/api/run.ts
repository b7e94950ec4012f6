// The API with a full store: latencies of requests and commands, and service creates per second. bale, then Docker Swarm.
import { join } from 'node:path';
import { socketDocument } from '../../test/support/socket-request.js';
import { startBoth, type ControlPlane } from '../cluster/swarms.js';
import { sustainedCreates } from './creates.js';
import { fill } from './fill.js';
import { commandLatencies, requestLatencies } from './latency.js';
import { addLostNodes } from './more-nodes.js';
import { processorTimeOf } from './processor-time.js';
import type { Samples } from './samples.js';

const SERVICES = Number(process.env.SERVICES ?? 1_000);
const REPLICAS = Number(process.env.REPLICAS ?? 20);
const NODES = Number(process.env.NODES ?? 200);
/** The longest that the store of one control plane is filled for. */
const FILL_SECONDS = Number(process.env.FILL_SECONDS ?? 300);
const REQUESTS = Number(process.env.REQUESTS ?? 200);
const COMMANDS = Number(process.env.COMMANDS ?? 20);
const CREATE_SECONDS = Number(process.env.CREATE_SECONDS ?? 30);
const PLANES = (process.env.PLANES ?? 'bale,swarm').split(',');
/** After a start nothing is decided about nodes for ten seconds; and what filling left to do is done. */
const SETTLE_SECONDS = 15;

/** Messages of each request and task are not what a manager writes by default. */
const FLAGS = ['--log-level=info'];
const baleProgram = join(process.cwd(), 'dist', 'bin', 'bale.js');

const { hosts, planes } = await startBoth(1, FLAGS);

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLE_SECONDS * 1_000));

function print(title: string, results: ReadonlyMap<string, Samples>): void {
  console.log(title);
  for (const [name, samples] of results) console.log(`  ${name.padEnd(30)} ${samples.text()}`);
}

async function measure(plane: ControlPlane): Promise<void> {
  const filled = await fill(plane, SERVICES, REPLICAS, FILL_SECONDS);
  if (plane.name === 'bale') await addLostNodes(hosts.host(1), NODES - 1, FLAGS);
  await settle();
  const processorTime = await processorTimeOf(plane, hosts.host(1));
  const nodes = await socketDocument<readonly unknown[]>(plane.socket, '/nodes');
  console.log(
    `${plane.name}: ${filled.services} services, ${filled.tasks} tasks, ${nodes.length} nodes; filled in ${filled.seconds.toFixed(0)} s`,
  );
  print(`${plane.name}, API requests`, await requestLatencies(plane, filled.services, REQUESTS, processorTime));
  const docker = (...args: string[]) => ['docker', ['-H', `unix://${plane.socket}`, ...args]] as const;
  if (plane.name === 'bale') {
    const bale = (...args: string[]) => [baleProgram, ['-H', `unix://${plane.socket}`, ...args]] as const;
    print('bale, commands of bale', await commandLatencies(bale, filled.services, COMMANDS));
  }
  print(`${plane.name}, commands of docker`, await commandLatencies(docker, filled.services, COMMANDS));
  await settle();
  const { count, perSecond, slowestSecond, latencies } = await sustainedCreates(plane, CREATE_SECONDS, processorTime);
  console.log(
    `${plane.name}, service create, 8 at a time: ${count} in ${CREATE_SECONDS} s, ${perSecond.toFixed(0)} a second, ${slowestSecond} in the slowest second; ${latencies.text()}`,
  );
}

try {
  for (const plane of planes) if (PLANES.includes(plane.name)) await measure(plane);
} finally {
  await hosts[Symbol.asyncDispose]();
}
