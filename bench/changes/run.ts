// Planned changes and faults under a mixed load on every node at once: what fails, how long requests and
// changes take, whether the meshes give back what they took.
import { startHosts } from '../../test/support/hosts.js';
import type { LoadOptions } from '../../test/support/load/load-types.js';
import { ReplicaService } from '../../test/support/load/replica-service.js';
import { printBalance } from './balance.js';
import { churnFor, grown } from './churn.js';
import { LoadClient } from './load-client.js';
import { compareFootprints, footprints, settledFootprints } from './mesh-footprint.js';
import { printRun } from './report.js';
import { SCENARIOS, type Scenario } from './scenarios.js';
import { REPLICAS, TimedSteps } from './steps.js';

const setting = (name: string, value: number): number => Number(process.env[name] ?? value);
const RATE = setting('RATE', 600);
const SESSION_SECONDS = setting('SESSION_SECONDS', 5);
const WARM_UP_SECONDS = setting('WARM_UP_SECONDS', 20);
const CHURN_SECONDS = setting('CHURN_SECONDS', 600);
/** Without requests before memory is read: Node gives back what it took for the load some seconds later. */
const QUIET_SECONDS = 20;
const NAMES = process.env.SCENARIOS?.split(',') ?? [
  'balance',
  ...SCENARIOS.map(({ name }) => name),
  'churn',
  'by-hand',
];

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
let failed = 0;

async function underLoad(
  name: string,
  options: LoadOptions,
  change: (steps: TimedSteps) => ReturnType<Scenario['run']>,
): Promise<void> {
  const load = new LoadClient(options);
  try {
    const steps = new TimedSteps((step) => {
      load.phase(step);
    });
    await pause(1);
    const excuses = await change(steps);
    await pause(1);
    failed += printRun(name, await load.stop(), steps.toString(), excuses);
  } finally {
    load.kill();
  }
}

const hosts = await startHosts(3);
try {
  const service = await ReplicaService.create(hosts, REPLICAS);
  const options: LoadOptions = { targets: service.targets, rate: RATE, sessionSeconds: SESSION_SECONDS };
  await underLoad('warm-up, no change', options, async () => {
    await pause(WARM_UP_SECONDS);
    return undefined;
  });
  if (NAMES.includes('balance') && !(await printBalance(service, REPLICAS))) failed += 1;
  await pause(5); // connections to replicas are kept for 4 s
  const baseline = await footprints(hosts);
  for (const scenario of SCENARIOS.filter(({ name }) => NAMES.includes(name))) {
    const rounds = setting('ROUNDS', scenario.rounds);
    await underLoad(`${scenario.name} (${scenario.what}, ${rounds} times)`, options, (steps) =>
      scenario.run(service, rounds, steps),
    );
    const after = await settledFootprints(hosts, baseline);
    console.log(`    meshes afterwards: ${compareFootprints(baseline, after)}`);
    failed += after.reduce((sum, { clients }) => sum + clients, 0);
  }
  if (NAMES.includes('churn')) {
    const settle = CHURN_SECONDS / 10;
    await underLoad(`churn, the first ${settle} s`, options, (steps) => churnFor(settle, service, steps));
    await pause(QUIET_SECONDS);
    const before = await footprints(hosts);
    await underLoad(`churn, ${CHURN_SECONDS} s more`, options, (steps) => churnFor(CHURN_SECONDS, service, steps));
    await pause(QUIET_SECONDS);
    const after = await settledFootprints(hosts, before);
    console.log(`    meshes afterwards: ${compareFootprints(before, after)}`);
    failed += grown(before, after);
  }
} finally {
  await hosts[Symbol.asyncDispose]();
}
if (failed > 0) {
  console.log(`${failed} failures in all`);
  process.exitCode = 1;
}
