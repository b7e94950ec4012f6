import { IdentitySource } from '../../core/identity.js';
import { createLogger } from '../../core/logger.js';
import { createSwarmApi } from '../../manager/api/create-swarm-api.js';
import type { SwarmApi } from '../../manager/api/swarm-api.js';
import { createRootCa } from '../../manager/ca/root-ca.js';
import { newDataKey, Vault } from '../../manager/secrets/vault.js';
import { openStore } from '../../manager/store/store.js';
import type { Store, Transaction } from '../../manager/store/store-types.js';
import { decodeSwarmSpec } from '../../proto/engine/swarm-spec-shape.js';
import type { HostPower } from '../../proto/engine/host-options.js';
import { FakeClock } from './fake-clock.js';
import { memoryJournal, MemoryDisk } from './memory-journal.js';
import { silentHandshake } from './silent-handshake.js';
import { draftNode } from './stored-objects.js';

export const MANAGER_ID = 'manager00000000000000000a';

export interface TestApi {
  readonly api: SwarmApi;
  readonly store: Store;
  readonly clock: FakeClock;
  readonly disk: MemoryDisk;
  /** PEM. */
  readonly rootCertificate: string;
  /** Writes rows as the other parts of a manager would. */
  write(body: (tx: Transaction) => void): Promise<void>;
}

/** A new cluster of one manager, in memory, with its API. */
export async function openTestApi(
  allowed: ReadonlySet<HostPower> = new Set(),
  clock = new FakeClock(),
): Promise<TestApi> {
  const disk = new MemoryDisk();
  const logger = createLogger('silent');
  const store = await openStore({ journal: memoryJournal(disk), clock, logger });
  const { certificate } = await createRootCa();
  await store.update((tx) => {
    tx.put('cluster', {
      id: 'cluster',
      spec: decodeSwarmSpec({}),
      rootCertificate: certificate,
      joinSecrets: { worker: 'w'.repeat(25), manager: 'm'.repeat(25) },
      removedNodes: {},
    });
    tx.put(
      'node',
      draftNode(MANAGER_ID, {
        spec: { Labels: {}, Role: 'manager', Availability: 'active' },
        managerAddr: '127.0.0.1:2377',
        description: machine('vm'),
      }),
    );
  });
  const identity = new IdentitySource({
    nodeId: MANAGER_ID,
    clusterId: 'cluster',
    role: 'manager',
    certificate: '',
    privateKey: '',
    trustRoot: certificate,
  });
  return {
    api: createSwarmApi({
      store,
      identity,
      handshake: silentHandshake(),
      vault: new Vault(newDataKey()),
      allowed,
      clock,
      logger,
    }),
    store,
    clock,
    disk,
    rootCertificate: certificate,
    write: (body) => store.update(body),
  };
}

/** What an agent says of its machine. */
export const machine = (
  hostname: string,
  engineLabels: Record<string, string> = {},
): {
  Hostname: string;
  Platform: { Architecture: string; OS: string };
  Resources: { NanoCPUs: number; MemoryBytes: number };
  Engine: { EngineVersion: string; Labels: Record<string, string>; Plugins: [] };
} => ({
  Hostname: hostname,
  Platform: { Architecture: 'x86_64', OS: 'linux' },
  Resources: { NanoCPUs: 2e9, MemoryBytes: 8 * 1024 ** 3 },
  Engine: { EngineVersion: '20.10.24', Labels: engineLabels, Plugins: [] },
});
