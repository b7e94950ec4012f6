import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLogger } from '../../core/logger.js';
import type { Journal } from '../../manager/store/journal.js';
import { JOURNAL_FORMAT, openLevelJournal } from '../../manager/store/level-journal.js';
import { openStore } from '../../manager/store/store.js';
import type { Transaction } from '../../manager/store/store-types.js';
import { FakeClock } from '../support/fake-clock.js';
import { draftNode, storedNode } from '../support/stored-objects.js';

const isRoot = process.getuid?.() === 0;
const load = (journal: Journal) => journal.load(new AbortController().signal);

let scratch: string;
let directory: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'bale-damage-'));
  directory = join(scratch, 'journal');
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

/** Appends `count` rows one by one and closes. */
async function written(count: number): Promise<void> {
  const journal = await openLevelJournal(directory);
  await load(journal);
  for (let index = 1; index <= count; index++) {
    await journal.append(index, [{ table: 'node', id: `n${index}`, value: storedNode(`n${index}`) }]);
  }
  await journal.close();
}

/** Opens and loads; whatever goes wrong, the lock is given back. */
async function reading(): Promise<number> {
  const journal = await openLevelJournal(directory);
  try {
    return (await load(journal)).objects.length;
  } finally {
    await journal.close();
  }
}

async function raw(change: (database: Level) => Promise<void>): Promise<void> {
  const database = new Level(directory);
  await change(database);
  await database.close();
}

const naming = (...parts: readonly string[]): unknown =>
  expect.stringMatching(new RegExp(parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')));

describe('a level journal that cannot be used says why, where and what to do', () => {
  test('written by a newer version: both versions are named, and nothing is changed', async () => {
    await written(1);
    await raw((database) => database.put('meta!format', String(JOURNAL_FORMAT + 1)));
    await expect(openLevelJournal(directory)).rejects.toMatchObject({
      code: 'BALE_JOURNAL_TOO_NEW',
      message: naming(directory, `format ${JOURNAL_FORMAT + 1}`, `format ${JOURNAL_FORMAT}`),
    });
    await raw((database) => database.put('meta!format', String(JOURNAL_FORMAT)));
    expect(await reading()).toBe(1);
  });

  test('in use by another process', async () => {
    const journal = await openLevelJournal(directory);
    await expect(openLevelJournal(directory)).rejects.toMatchObject({
      code: 'BALE_JOURNAL_LOCKED',
      message: naming(directory, 'another process', '--data-dir'),
    });
    await journal.close();
    expect(await reading()).toBe(0);
  });

  test.each([
    ['a row that is not JSON', 'node!n1', '{"id":'],
    ['a row under another id', 'node!n1', '{"id":"n2"}'],
    ['a row of no table', 'volume!v', '{"id":"v"}'],
    ['a row changed behind its back', 'node!n1', '{"id":"n1"}'],
    ['an index that is no number', 'meta!index', 'many'],
  ])('%s', async (_, key, text) => {
    await written(2);
    await raw((database) => database.put(key, text));
    await expect(reading()).rejects.toMatchObject({ code: 'BALE_JOURNAL_CORRUPT', message: naming(directory) });
  });

  test('a database of something else', async () => {
    await raw((database) => database.put('hello', 'world'));
    await expect(openLevelJournal(directory)).rejects.toMatchObject({ code: 'BALE_JOURNAL_CORRUPT' });
  });

  test('an append in the middle of the log that was damaged on the disk', async () => {
    // LevelDB drops the block of the log that holds the damage: there must be blocks behind it.
    await written(300);
    const log = (await readdir(directory)).find((name) => name.endsWith('.log')) ?? '';
    const bytes = await readFile(join(directory, log));
    const middle = Math.floor(bytes.length / 2);
    bytes.fill(0xff, middle, middle + 4);
    await writeFile(join(directory, log), bytes);
    await expect(reading()).rejects.toMatchObject({ code: 'BALE_JOURNAL_CORRUPT', message: naming(directory) });
  });

  test('the file CURRENT is gone: the rest is left alone', async () => {
    await written(3);
    const current = join(directory, 'CURRENT');
    const text = await readFile(current);
    await rm(current);
    await expect(openLevelJournal(directory)).rejects.toMatchObject({ code: 'BALE_JOURNAL_CORRUPT' });
    await writeFile(current, text);
    expect(await reading()).toBe(3);
  });

  test('a file stands where the directory should be', async () => {
    await writeFile(directory, '');
    await expect(openLevelJournal(directory)).rejects.toMatchObject({
      code: 'BALE_JOURNAL_UNREADABLE',
      message: naming(directory, 'could not be opened'),
    });
  });

  test.skipIf(isRoot)('a directory that this user may not enter', async () => {
    await mkdir(directory);
    await chmod(directory, 0);
    await expect(openLevelJournal(directory)).rejects.toMatchObject({ code: 'BALE_JOURNAL_UNREADABLE' });
    await chmod(directory, 0o700);
  });
});

test('only the owner may look into the directory', async () => {
  await written(1);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
});

// Mounting needs root.
describe.runIf(isRoot)('on a file system of its own', () => {
  const mount = (...args: readonly string[]): unknown => execFileSync('mount', args);
  beforeEach(() => mount('-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', scratch));
  afterEach(() => execFileSync('umount', [scratch]));

  const opened = async () =>
    openStore({
      journal: await openLevelJournal(directory),
      clock: new FakeClock(),
      logger: createLogger('silent'),
    });
  const put =
    (id: string) =>
    (tx: Transaction): void =>
      tx.put('node', draftNode(id, { meshAddr: 'x'.repeat(5_000) }));

  test('a full disk fails the store with one clear error, and nothing acknowledged is lost', async () => {
    const store = await opened();
    await store.update(put('before'));
    const filler = await open(join(scratch, 'filler'), 'w');
    await filler.writeFile(Buffer.alloc(8 * 1024 * 1024)).catch(() => undefined);
    await filler.close();
    let acknowledged = 0;
    const failure = await (async () => {
      for (; acknowledged < 10_000; acknowledged++) await store.update(put(`n${acknowledged}`));
      return undefined;
    })().catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'BALE_STORE_FAILED',
      message: naming(directory, 'no space is left', 'free some'),
      cause: { code: 'BALE_JOURNAL_FULL' },
    });
    expect(await store.failed).toBe(failure);
    await store.close();
    await expect(openLevelJournal(directory)).rejects.toMatchObject({
      code: 'BALE_JOURNAL_FULL',
      message: naming(directory),
    });

    await rm(join(scratch, 'filler'));
    const again = await opened();
    expect(again.view.all('node').length).toBeGreaterThanOrEqual(acknowledged + 1);
    expect(again.view.index).toBe(again.view.all('node').length);
    await again.update(put('after'));
    await again.close();
  });

  test('a read-only disk is refused when it is opened', async () => {
    await written(1);
    mount('-o', 'remount,ro', scratch);
    await expect(openLevelJournal(directory)).rejects.toMatchObject({
      code: 'BALE_JOURNAL_UNREADABLE',
      message: naming(directory, 'could not be opened'),
    });
  });
});
