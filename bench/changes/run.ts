// Planned changes and faults under a mixed load on every node at once: what fails, how long requests and
// changes take, whether the meshes give back what they took, and the same rolling update done by hand.
import { startHosts } from '../../test/support/hosts.js';
import type { LoadTarget } from '../../test/support/load/load-types.js';
import { ReplicaService, SERVICE } from '../../test/support/load/replica-service.js';
import { printBalance } from './balance.js';
import { FRONT } from './by-hand/haproxy.js';
import { Operator } from './by-hand/operator.js';
import { churnFor, grown } from './churn.js';
import { LoadClient } from './load-client.js';
import { compareFootprints, footprints, openConnections, settledFootprints } from './mesh-footprint.js';
import { printBeside, printRun, type RunSummary } from './report.js';
import { SCENARIOS, type Scenario } from './scenarios.js';
import { REPLICAS, TimedSteps } from './steps.js';

const setting = (name: string, value: number): number => Number(process.env[name] ?? value);
const RATE = setting('RATE', 600);
const SESSION_SECONDS = setting('SESSION_SECONDS', 5);
const WARM_UP_SECONDS = setting('WARM_UP_SECONDS', 20);
const CHURN_SECONDS = setting('CHURN_SECONDS', 600);
/** Without requests before memory is read: Node gives back what it took for the load some seconds later. */
const QUIET_SECONDS = setting('QUIET_SECONDS', 40);
const ALL = ['balance', ...SCENARIOS.map(({ name }) => name), 'churn', 'by-hand'];
const chosen = process.env.SCENARIOS?.split(',') ?? ALL;

let failures = 0;

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function underLoad(
  name: string,
  targets: readonly LoadTarget[],
  change: (steps: TimedSteps) => ReturnType<Scenario['run']>,
): Promise<RunSummary> {
  const load = new LoadClient({ targets, rate: RATE, sessionSeconds: SESSION_SECONDS });
  try {
    const steps = new TimedSteps((step) => {
      load.phase(step);
    });
    await pause(1);
    const excuses = await change(steps);
    await pause(1);
    return printRun(name, await load.stop(), steps.toString(), excuses);
  } finally {
    load.kill();
  }
}

const unknown = chosen.filter((name) => !ALL.includes(name));
if (unknown.length > 0) throw new Error(`SCENARIOS: there is no ${unknown.join(', ')}; there are: ${ALL.join(', ')}`);

const hosts = await startHosts(3);
try {
  const service = await ReplicaService.create(hosts, REPLICAS);
  const { targets } = service;
  const updates: RunSummary[] = [];
  await underLoad('warm-up, no change', targets, async () => {
    await pause(WARM_UP_SECONDS);
    return undefined;
  });
  if (chosen.includes('balance')) failures += await printBalance(service, REPLICAS);
  await pause(QUIET_SECONDS);
  const baseline = await footprints(hosts);
  for (const scenario of SCENARIOS.filter(({ name }) => chosen.includes(name))) {
    const rounds = setting('ROUNDS', scenario.rounds);
    const name = `${scenario.name} (${scenario.what}, ${rounds} times)`;
    const summary = await underLoad(name, targets, (steps) => scenario.run(service, rounds, steps));
    failures += summary.failed;
    if (scenario.name === 'update') updates.push({ ...summary, name: 'bale' });
    const after = await settledFootprints(hosts, baseline);
    console.log(`    meshes afterwards: ${compareFootprints(baseline, after)}`);
    for (const [index, { node, sockets }] of after.entries()) {
      if (sockets <= (baseline[index]?.sockets ?? 0)) continue;
      console.log(`    open on ${node}:\n      ${(await openConnections(hosts.host(index + 1))).join('\n      ')}`);
    }
    failures += after.reduce((sum, { clients }) => sum + clients, 0);
  }
  if (chosen.includes('churn')) {
    const settling = CHURN_SECONDS / 10;
    const first = await underLoad(`churn, ${settling} s to settle`, targets, (steps) =>
      churnFor(settling, service, steps),
    );
    await pause(QUIET_SECONDS);
    const before = await footprints(hosts);
    const second = await underLoad(`churn, ${CHURN_SECONDS} s more`, targets, (steps) =>
      churnFor(CHURN_SECONDS, service, steps),
    );
    await pause(QUIET_SECONDS);
    const after = await settledFootprints(hosts, before);
    console.log(`    meshes afterwards: ${compareFootprints(before, after)}`);
    failures += first.failed + second.failed + grown(before, after);
  }
  if (chosen.includes('by-hand')) {
    await service.manager.bale('service', 'rm', SERVICE);
    const operator = new Operator(hosts);
    await operator.start(REPLICAS);
    try {
      const fronts = targets.map((target) => ({ ...target, httpPort: FRONT.http, tcpPort: FRONT.tcp }));
      for (const method of ['reload', 'runtime'] as const) {
        // Peers may lose requests: theirs are no failures of this measurement.
        const summary = await underLoad(`by hand: HAProxy, ${method}`, fronts, async (steps) => {
          for (let round = 0; round < setting('ROUNDS', 5); round += 1)
            await steps.step('update', () => operator.update(method));
          return undefined;
        });
        updates.push(summary);
      }
    } finally {
      await operator.stop();
    }
    printBeside(updates);
  }
} finally {
  await hosts[Symbol.asyncDispose]();
}
if (failures > 0) {
  console.log(`${failures} failures in all`);
  process.exitCode = 1;
}
