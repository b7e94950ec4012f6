import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLevelJournal } from '../../manager/store/level-journal.js';
import { memoryJournal, MemoryDisk } from '../support/memory-journal.js';
import { journalConformance } from './journal.js';

journalConformance('memory', () => {
  const disk = new MemoryDisk();
  return Promise.resolve({
    open: () => Promise.resolve(memoryJournal(disk)),
    dispose: () => Promise.resolve(),
  });
});

journalConformance('level', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bale-journal-'));
  return {
    open: () => openLevelJournal(join(directory, 'journal')),
    dispose: () => rm(directory, { recursive: true }),
  };
});
