// From the loss of a node to its two replicas running elsewhere: a cut cable, and a crash of daemon and containers.
import { socketDocument } from '../../test/support/socket-request.js';
import {
  createSleeps,
  median,
  removeService,
  runningTasks,
  startBoth,
  tasksOf,
  waitForTasks,
  type ControlPlane,
} from './swarms.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const REPLICAS = 6;

interface NodeEntry {
  readonly ID: string;
  readonly Status: { readonly State: string };
  readonly Description: { readonly Hostname: string };
}

const { hosts, planes } = await startBoth(3);
const victim = hosts.host(3);

/** The node id of the victim under this control plane. */
async function victimId(plane: ControlPlane): Promise<string> {
  const nodes = await socketDocument<readonly NodeEntry[]>(plane.socket, '/nodes');
  const found = nodes.find(({ Description }) => Description.Hostname === victim.name);
  if (found === undefined) throw new Error(`${plane.name}: no node ${victim.name}`);
  return found.ID;
}

async function nodeReady(plane: ControlPlane): Promise<void> {
  const id = await victimId(plane);
  for (;;) {
    const node = await socketDocument<NodeEntry>(plane.socket, `/nodes/${id}`);
    if (node.Status.State === 'ready') return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Time from `lose` until all replicas run on other nodes. */
async function measure(
  plane: ControlPlane,
  name: string,
  lose: () => Promise<unknown>,
  recover: () => Promise<unknown>,
): Promise<number> {
  const service = await createSleeps(plane, name, REPLICAS);
  await waitForTasks(plane, service, performance.now(), (tasks) => runningTasks(tasks).length === REPLICAS);
  const lost = await victimId(plane);
  const there = runningTasks(await tasksOf(plane, service)).filter(({ NodeID }) => NodeID === lost).length;
  if (there !== 2) throw new Error(`${plane.name}: ${there} replicas on the victim instead of 2`);
  const start = performance.now();
  await lose();
  const taken = await waitForTasks(
    plane,
    service,
    start,
    (tasks) => runningTasks(tasks).filter(({ NodeID }) => NodeID !== lost).length === REPLICAS,
  );
  await recover();
  await nodeReady(plane);
  await removeService(hosts, plane, service);
  return taken;
}

try {
  console.log('from the loss of a node to its two replicas running elsewhere, seconds (each round, then the median)');
  const cut = new Map<string, number[]>(planes.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const plane of planes) {
      cut.get(plane.name)?.push(
        await measure(
          plane,
          `cut-${round}`,
          () => victim.cut(),
          () => victim.mend(),
        ),
      );
    }
  }
  for (const [name, all] of cut) report(`${name}: cable cut`, all);
  const crash: number[] = [];
  const [bale] = planes;
  if (bale === undefined) throw new Error('no control plane');
  for (let round = 0; round < ROUNDS; round += 1) {
    crash.push(
      await measure(
        bale,
        `crash-${round}`,
        () => victim.crash({ keepMesh: false }),
        () => victim.startDaemon(),
      ),
    );
  }
  report('bale: daemon and containers killed', crash);
} finally {
  await hosts[Symbol.asyncDispose]();
}

function report(name: string, all: readonly number[]): void {
  const seconds = (ms: number): string => (ms / 1000).toFixed(2);
  console.log(
    `${name.padEnd(40)} ${all.map(seconds).join('  ')}   median ${seconds(median(all))}   worst ${seconds(Math.max(...all))}`,
  );
}
