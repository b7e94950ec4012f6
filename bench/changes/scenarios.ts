import type { Failure } from '../../test/support/load/load-types.js';
import type { ReplicaService } from '../../test/support/load/replica-service.js';
import type { TestHost } from '../../test/support/test-host.js';
import { killReplicas } from './replica-kill.js';
import { REPLICAS, type Steps } from './steps.js';

/** ms that a killed daemon stays away: longer than the silence after which a manager calls a node lost. */
const AWAY = 4_000;

export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** How often it is done; `ROUNDS` sets it for all. */
  readonly rounds: number;
  /** Returns which failures its fault excuses; where it returns nothing, none is. */
  run(service: ReplicaService, rounds: number, steps: Steps): Promise<((failure: Failure) => boolean) | undefined>;
}

/** A scenario that does the same `rounds` times and excuses no failure. */
const repeated = (
  name: string,
  what: string,
  rounds: number,
  once: (service: ReplicaService, steps: Steps) => Promise<void>,
): Scenario => ({
  name,
  what,
  rounds,
  run: async (service, times, steps) => {
    for (let round = 0; round < times; round += 1) await once(service, steps);
    return undefined;
  },
});

/** Something done to each node in turn. */
const onEachNode =
  (change: (service: ReplicaService, host: TestHost, steps: Steps) => Promise<void>) =>
  async (service: ReplicaService, steps: Steps): Promise<void> => {
    for (const host of service.hosts.all) await change(service, host, steps);
  };

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const killDaemon = (service: ReplicaService, host: TestHost, steps: Steps): Promise<void> =>
  steps.step(`kill -9 of the daemon of ${host.name}`, async () => {
    await host.stopDaemon('SIGKILL');
    await pause(AWAY);
    await host.startDaemon();
    await service.whole(REPLICAS);
  });

export const SCENARIOS: readonly Scenario[] = [
  repeated('update', 'rolling updates of six replicas, two at a time', 20, (service, steps) =>
    steps.step('update', () => service.update()),
  ),
  repeated('scale', 'scale 6, 2, 6', 10, async (service, steps) => {
    await steps.step('scale to 2', () => service.scale(2));
    await steps.step('scale to 6', () => service.scale(REPLICAS));
  }),
  repeated(
    'drain',
    'drain and re-activation of each node',
    1,
    onEachNode(async (service, host, steps) => {
      await steps.step(`drain of ${host.name}`, () => service.drain(host, REPLICAS));
      await steps.step(`activation of ${host.name}`, () => service.activate(host));
    }),
  ),
  repeated('rollback', 'update and rollback', 3, async (service, steps) => {
    await steps.step('update', () => service.update());
    await steps.step('rollback', () => service.rollback());
  }),
  repeated(
    'daemons',
    'restart of each daemon',
    2,
    onEachNode((service, host, steps) =>
      steps.step(`restart of ${host.name}`, async () => {
        await host.stopDaemon('SIGTERM');
        await host.startDaemon();
        await service.whole(REPLICAS);
      }),
    ),
  ),
  repeated(
    'meshes',
    'replacement of each mesh process',
    2,
    onEachNode((service, host, steps) =>
      steps.step(`replacement of the mesh of ${host.name}`, () => service.replaceMesh(host)),
    ),
  ),
  {
    name: 'kill-replica',
    what: 'kill -9 of a replica of each node',
    rounds: 2,
    run: killReplicas,
  },
  repeated('kill-worker', 'kill -9 of the daemon of each worker', 2, async (service, steps) => {
    for (const host of service.hosts.all) if (host !== service.manager) await killDaemon(service, host, steps);
  }),
  repeated('kill-manager', "kill -9 of the manager's daemon", 2, (service, steps) =>
    killDaemon(service, service.manager, steps),
  ),
];
