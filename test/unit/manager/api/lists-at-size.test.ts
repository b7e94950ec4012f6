import { beforeAll, describe, expect, it } from 'vitest';
import { newDataKey, Vault } from '../../../../manager/secrets/vault.js';
import { openStore } from '../../../../manager/store/store.js';
import { createSwarmApi } from '../../../../manager/api/create-swarm-api.js';
import type { SwarmApi } from '../../../../manager/api/swarm-api.js';
import { IdentitySource } from '../../../../core/identity.js';
import { createLogger } from '../../../../core/logger.js';
import { decodeServiceSpec } from '../../../../proto/engine/decode-service-spec.js';
import { CountedView } from '../../../support/counted-view.js';
import { silentHandshake } from '../../../support/silent-handshake.js';
import { memoryJournal } from '../../../support/memory-journal.js';
import { serviceBody } from '../../../support/service-body.js';
import { draftNode, draftTask, ingressPort } from '../../../support/stored-objects.js';
import { machine, MANAGER_ID, openTestApi } from '../../../support/test-api.js';

const SERVICES = 100;
const TASKS = 2_000;
const NODES = 100;
/** How often a list may read a field of each row that it must look at: more means that it goes over rows again and again. */
const READS_PER_ROW = 40;

/** Ids as random as real ones in their order, but the same in each run. */
const idOf = (kind: string, number: number): string => `${((number * 7919) % 99_991).toString(36)}${kind}${number}`;

let api: SwarmApi;
let counted: CountedView;

beforeAll(async () => {
  const { write, store, disk, clock, rootCertificate } = await openTestApi();
  await write((tx) => {
    for (let number = 0; number < NODES; number += 1) {
      const id = idOf('n', number);
      const error = { publishedPort: number + 1, protocol: 'tcp' as const, error: '' };
      tx.put('node', draftNode(id, { description: machine(`host${number}`), portErrors: [error] }));
    }
    for (let number = 0; number < SERVICES; number += 1) {
      const spec = decodeServiceSpec(serviceBody({ Name: `service${number}`, Labels: { number: String(number) } }));
      tx.put('service', { id: idOf('s', number), spec, ports: [ingressPort(number + 1, 80)] });
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
  // Read back, as by a manager that starts.
  const logger = createLogger('silent');
  const identity = new IdentitySource({
    nodeId: MANAGER_ID,
    clusterId: 'cluster',
    role: 'manager',
    certificate: '',
    privateKey: '',
    trustRoot: rootCertificate,
  });
  const readBack = await openStore({ journal: memoryJournal(disk), clock, logger });
  counted = new CountedView(readBack.view);
  api = createSwarmApi({
    store: {
      view: counted,
      failed: readBack.failed,
      update: (body) => readBack.update(body),
      watch: (listener) => readBack.watch(listener),
      close: () => readBack.close(),
    },
    identity,
    handshake: silentHandshake(),
    vault: new Vault(newDataKey()),
    allowed: new Set(),
    clock,
    logger,
  });
}, 60_000);

/** How many fields of rows `body` reads. */
function reads(body: () => unknown): number {
  const before = counted.reads;
  body();
  return counted.reads - before;
}

describe(`lists of ${SERVICES} services, ${TASKS} tasks and ${NODES} nodes`, () => {
  it.each<[what: string, length: number, rows: number, list: () => readonly unknown[]]>([
    ['services', SERVICES, SERVICES, () => api.services({}, false)],
    ['services with status', SERVICES, SERVICES + TASKS + NODES, () => api.services({}, true)],
    ['services of a label', 1, SERVICES, () => api.services({ label: ['number=7'] }, true)],
    ['tasks', TASKS, TASKS, () => api.tasks({})],
    ['tasks by the beginning of their name', 20, TASKS, () => api.tasks({ name: ['service7.'] })],
    ['tasks that are up to date', TASKS, TASKS, () => api.tasks({ '_up-to-date': ['true'] })],
    ['tasks of a service', 20, SERVICES, () => api.tasks({ service: ['service7'], '_up-to-date': ['true'] })],
    ['tasks of a node', TASKS / NODES, NODES, () => api.tasks({ node: ['host7'] })],
    ['tasks of two nodes', (2 * TASKS) / NODES, TASKS, () => api.tasks({ node: ['host7', 'host8'] })],
    ['nodes', NODES + 1, NODES, () => api.nodes({})],
    ['nodes of a name', 1, NODES, () => api.nodes({ name: ['host7'], role: ['worker'] }).slice(0, 1)],
  ])('%s: %i of them for one look at %i rows', (_what, length, rows, list) => {
    let listed: readonly unknown[] = [];
    const read = reads(() => (listed = list()));
    expect(listed).toHaveLength(length);
    expect(read).toBeLessThan(READS_PER_ROW * rows);
  });

  it('one of each without a look at all tasks, but for one that is named by the beginning of its id', () => {
    expect(reads(() => [api.service('service99', true), api.node('host99')])).toBeLessThan(READS_PER_ROW * SERVICES);
    expect(reads(() => api.task(idOf('t', 1_999).slice(0, -1)))).toBeLessThan(READS_PER_ROW * TASKS);
    expect(reads(() => api.info())).toBeLessThan(READS_PER_ROW * NODES);
  });
});
