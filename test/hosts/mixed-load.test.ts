import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startHosts, type Hosts } from '../support/hosts.js';
import { LOAD_KINDS } from '../support/load/load-types.js';
import { MixedLoad } from '../support/load/mixed-load.js';
import { ReplicaService } from '../support/load/replica-service.js';

const REPLICAS = 6;
const RATE = 200;
/** Sessions end well before the drain deadline of 30 s, which would cut them. */
const SESSION_SECONDS = 1;

/**
 * Keep-alive and one-shot GETs, slow answers, bodies of 1 MiB, WebSockets and a protocol in which the server
 * speaks first, on every node at once at a fixed rate: not one request of any kind may fail.
 */
describe('changes under a mixed load drop nothing', () => {
  let hosts: Hosts;
  let service: ReplicaService;

  beforeAll(async () => {
    hosts = await startHosts(3);
    service = await ReplicaService.create(hosts, REPLICAS);
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
  });

  async function underLoad(change: () => Promise<void>): Promise<void> {
    const load = new MixedLoad({ targets: service.targets, rate: RATE, sessionSeconds: SESSION_SECONDS });
    let result;
    try {
      await change();
    } finally {
      result = await load.stop();
    }
    expect(result.failures).toEqual([]);
    for (const kind of LOAD_KINDS) expect(result.kinds[kind].requests, kind).toBeGreaterThan(0);
  }

  test('a rolling update', async () => {
    await underLoad(() => service.update());
  });

  test('scaling down and up', async () => {
    await underLoad(async () => {
      await service.scale(2);
      await service.scale(REPLICAS);
    });
  });

  test.each([1, 2])('a restart of the daemon of host %i', async (n) => {
    const host = hosts.host(n);
    await underLoad(async () => {
      await host.stopDaemon('SIGTERM');
      await host.startDaemon();
      await service.whole(REPLICAS);
    });
  });

  test('a replacement of the mesh process of a host', async () => {
    await underLoad(() => service.replaceMesh(hosts.host(2)));
  });
});
