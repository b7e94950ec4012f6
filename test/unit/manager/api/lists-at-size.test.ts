import { beforeAll, describe, expect, it } from 'vitest';
import { newDataKey, Vault } from '../../../../manager/secrets/vault.js';
import { openStore } from '../../../../manager/store/store.js';
import { createSwarmApi } from '../../../../manager/api/create-swarm-api.js';
import type { SwarmApi } from '../../../../manager/api/swarm-api.js';
import { IdentitySource } from '../../../../core/identity.js';
import { createLogger } from '../../../../core/logger.js';
import { decodeServiceSpec } from '../../../../proto/engine/decode-service-spec.js';
import { silentHandshake } from '../../../support/silent-handshake.js';
import { memoryJournal } from '../../../support/memory-journal.js';
import { serviceBody } from '../../../support/service-body.js';
import { draftNode, draftTask } from '../../../support/stored-objects.js';
import { machine, MANAGER_ID, openTestApi } from '../../../support/test-api.js';

const SERVICES = 1_000;
const TASKS = 20_000;
const NODES = 200;
const BOUND = 100;

/** Ids as random as real ones in their order, but the same in each run. */
const idOf = (kind: string, number: number): string => `${((number * 7919) % 99_991).toString(36)}${kind}${number}`;

let api: SwarmApi;

beforeAll(async () => {
  const { write, store, disk, clock, rootCertificate } = await openTestApi();
  await write((tx) => {
    for (let number = 0; number < NODES; number += 1) {
      const id = idOf('n', number);
      const error = {
        nodeId: id,
        publishedPort: 80,
        protocol: 'tcp' as const,
        serviceId: idOf('s', number),
        error: '',
      };
      tx.put('node', draftNode(id, { description: machine(`host${number}`), portErrors: [error] }));
    }
    for (let number = 0; number < SERVICES; number += 1) {
      const spec = decodeServiceSpec(serviceBody({ Name: `service${number}`, Labels: { number: String(number) } }));
      tx.put('service', { id: idOf('s', number), spec, ports: [] });
    }
    for (let number = 0; number < TASKS; number += 1) {
      const service = number % SERVICES;
      const row = tx.get('service', idOf('s', service));
      if (row === undefined) throw new Error('no such service');
      tx.put(
        'task',
        draftTask(idOf('t', number), row.id, {
          serviceName: row.spec.Name,
          spec: row.spec.TaskTemplate,
          slot: Math.floor(number / SERVICES) + 1,
          nodeId: idOf('n', number % NODES),
          status: { Timestamp: '', State: 'running', Message: 'started' },
        }),
      );
    }
  });
  await store.close();
  // Read back: then no task shares its spec with its service, the dearer case.
  const logger = createLogger('silent');
  const identity = new IdentitySource({
    nodeId: MANAGER_ID,
    clusterId: 'cluster',
    role: 'manager',
    certificate: '',
    privateKey: '',
    trustRoot: rootCertificate,
  });
  api = createSwarmApi({
    store: await openStore({ journal: memoryJournal(disk), clock, logger }),
    identity,
    handshake: silentHandshake(),
    vault: new Vault(newDataKey()),
    clock,
    logger,
  });
}, 60_000);

/** The best of a few runs, ms of processor time: other work on the machine can only add to it. */
function cost(body: () => unknown): number {
  const runs = Array.from({ length: 5 }, () => {
    const started = process.cpuUsage();
    body();
    const { user, system } = process.cpuUsage(started);
    return (user + system) / 1_000;
  });
  return Math.min(...runs);
}

describe(`lists of ${SERVICES} services, ${TASKS} tasks and ${NODES} nodes`, () => {
  it.each<[string, number, () => readonly unknown[]]>([
    ['services', SERVICES, () => api.services({}, false)],
    ['services with status', SERVICES, () => api.services({}, true)],
    ['services of a label', 1, () => api.services({ label: ['number=7'] }, true)],
    ['tasks', TASKS, () => api.tasks({})],
    ['tasks by the beginning of their name', 20, () => api.tasks({ name: ['service7.'] })],
    ['tasks that are up to date', TASKS, () => api.tasks({ '_up-to-date': ['true'] })],
    ['tasks of a service', 20, () => api.tasks({ service: ['service7'], '_up-to-date': ['true'] })],
    ['tasks of a node', TASKS / NODES, () => api.tasks({ node: ['host7'] })],
    ['tasks of two nodes', (2 * TASKS) / NODES, () => api.tasks({ node: ['host7', 'host8'] })],
    ['nodes', NODES + 1, () => api.nodes({})],
    ['nodes of a name', 1, () => api.nodes({ name: ['host7'], role: ['worker'] }).slice(0, 1)],
  ])(`%s: %i of them in less than ${BOUND} ms`, (_what, length, list) => {
    expect(list()).toHaveLength(length);
    expect(cost(list)).toBeLessThan(BOUND);
  });

  it(`one of each in less than ${BOUND} ms`, () => {
    expect(cost(() => [api.service('service999', true), api.node('host199')])).toBeLessThan(BOUND);
    expect(cost(() => api.task(idOf('t', 19_999).slice(0, -1)))).toBeLessThan(BOUND);
    expect(cost(() => api.info())).toBeLessThan(BOUND);
  });
});
