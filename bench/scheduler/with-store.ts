import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../core/clock.js';
import { createLogger } from '../../core/logger.js';
import { startScheduler } from '../../manager/scheduler/scheduler-loop.js';
import { openLevelJournal } from '../../manager/store/level-journal.js';
import type { NodeObject, TaskObject } from '../../manager/store/objects.js';
import { openStore } from '../../manager/store/store.js';

/** Rows written at once before the measurement begins. */
const LOADED = 1_000;

export interface StoredRun {
  readonly cpuSeconds: number;
  readonly seconds: number;
}

/**
 * The scheduler as it runs in a manager, on a store with a journal on disk, from its start until
 * every task has a node. The CPU time is that of the whole process: the threads of the journal and
 * of the garbage collector count.
 */
export async function withStore(nodes: readonly NodeObject[], tasks: readonly TaskObject[]): Promise<StoredRun> {
  const directory = await mkdtemp(join(tmpdir(), 'bale-placement-'));
  const logger = createLogger('error');
  try {
    const store = await openStore({ journal: await openLevelJournal(directory), clock: systemClock, logger });
    await store.update((tx) => {
      for (const node of nodes) tx.put('node', node);
    });
    for (let from = 0; from < tasks.length; from += LOADED) {
      await store.update((tx) => {
        for (const task of tasks.slice(from, from + LOADED)) tx.put('task', task);
      });
    }
    let waiting = tasks.length;
    const begun = performance.now();
    const before = process.cpuUsage();
    const allPlaced = new Promise<void>((resolve) => {
      store.watch(({ changes }) => {
        for (const { table, before: was, after } of changes) {
          if (table === 'task' && was?.nodeId === undefined && after?.nodeId !== undefined) waiting -= 1;
        }
        if (waiting === 0) resolve();
      });
    });
    // The timers of the clock keep no process alive.
    const alive = setInterval(() => undefined, 1_000);
    const scheduler = startScheduler({ store, clock: systemClock, logger, avoid: () => new Set(), allowed: new Set() });
    await allPlaced;
    clearInterval(alive);
    const { user, system } = process.cpuUsage(before);
    const seconds = (performance.now() - begun) / 1_000;
    await scheduler.close();
    await store.close();
    return { cpuSeconds: (user + system) / 1e6, seconds };
  } finally {
    await rm(directory, { recursive: true });
  }
}
