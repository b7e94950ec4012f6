import { join } from 'node:path';
import { openLevelJournal } from '../../manager/store/level-journal.js';
import { storedNode } from '../../test/support/stored-objects.js';
import type { TestHost } from '../../test/support/test-host.js';

/**
 * Writes `count` nodes that are down into the journal of a manager, whose daemon is stopped meanwhile and
 * reads everything back. They have no tasks, so nothing is done about them; lists show them.
 */
export async function addLostNodes(host: TestHost, count: number, flags: readonly string[]): Promise<void> {
  await host.stopDaemon('SIGTERM');
  const journal = await openLevelJournal(join(host.directory, 'bale', 'manager', 'journal'));
  const { index } = await journal.load(new AbortController().signal);
  await journal.append(
    index + 1,
    Array.from({ length: count }, (_, number) => {
      const id = `bench${String(number).padStart(20, '0')}`;
      return { table: 'node', id, value: lostNode(id, number) } as const;
    }),
  );
  await journal.close();
  await host.startDaemon(flags);
}

const lostNode = (id: string, number: number): ReturnType<typeof storedNode> =>
  storedNode(id, {
    spec: { Labels: { zone: `z${number % 3}` }, Role: 'worker', Availability: 'active' },
    status: { state: 'down', message: 'no heartbeat', addr: '10.255.0.1' },
    description: {
      Hostname: `lost-${number}`,
      Platform: { OS: 'linux', Architecture: 'x86_64' },
      Resources: { NanoCPUs: 8e9, MemoryBytes: 2 ** 34 },
      Engine: { EngineVersion: '20.10', Plugins: [] },
    },
  });
