import { mkdir, readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Level } from 'level';
import { syncDirectory } from '../../core/atomic-file.js';
import { ContentChecksum } from './content-checksum.js';
import { journalCorrupt, journalError, journalMisused, journalTooNew } from './journal-errors.js';
import type { Change, Journal, JournalContent } from './journal.js';
import { TABLE_NAMES } from './objects.js';

/** Moves when a row can no longer be read by an older bale. A journal of a higher format is refused. */
export const JOURNAL_FORMAT = 3;

/** Keys: `table!id` → the row as JSON; `meta!…` → numbers, for no table is called `meta`. */
const FORMAT_KEY = 'meta!format';
const INDEX_KEY = 'meta!index';
const CHECKSUM_KEY = 'meta!checksum';

/** LevelDB's write buffer, bytes: rows are in memory already, so a small one keeps the manager light. */
const WRITE_BUFFER = 1024 * 1024;
const CACHE = 256 * 1024;

/**
 * Opens the journal in `directory` (made 0700 where absent). Holds a lock on it until `close`.
 * Throws BALE_JOURNAL_LOCKED, BALE_JOURNAL_TOO_NEW, BALE_JOURNAL_CORRUPT, BALE_JOURNAL_UNREADABLE or BALE_JOURNAL_FULL.
 */
export async function openLevelJournal(directory: string): Promise<Journal> {
  let database: Level | undefined;
  try {
    await makeDirectory(directory);
    await checkFiles(directory);
    database = new Level(directory, { writeBufferSize: WRITE_BUFFER, cacheSize: CACHE });
    await database.open();
    await checkFormat(database, directory);
    return new LevelJournal(database, directory);
  } catch (error) {
    await database?.close().catch(() => undefined);
    throw journalError(error, directory, 'opened');
  }
}

class LevelJournal implements Journal {
  readonly #database: Level;
  readonly #directory: string;
  /** Index of the last append; undefined until loaded, during an append, and after a failure. */
  #index: number | undefined;
  #checksum = new ContentChecksum();

  constructor(database: Level, directory: string) {
    this.#database = database;
    this.#directory = directory;
  }

  async load(signal: AbortSignal): Promise<JournalContent> {
    try {
      const objects: Change[] = [];
      const checksum = new ContentChecksum();
      const numbers = new Map<string, number>();
      for await (const [key, text] of this.#database.iterator({ signal })) {
        if (key.startsWith('meta!')) {
          numbers.set(key, parseNumber(key, text, this.#directory));
        } else {
          checksum.set(key, text);
          objects.push(parseRow(key, text, this.#directory));
        }
      }
      const index = numbers.get(INDEX_KEY) ?? 0;
      if (checksum.total !== (numbers.get(CHECKSUM_KEY) ?? 0)) {
        throw journalCorrupt(this.#directory, `its rows do not add up to the checksum written at index ${index}`);
      }
      this.#checksum = checksum;
      this.#index = index;
      return { index, objects };
    } catch (error) {
      throw journalError(error, this.#directory, 'read');
    }
  }

  async append(index: number, changes: readonly Change[]): Promise<void> {
    const last = this.#index;
    if (last === undefined || index <= last) throw journalMisused(this.#directory, index, last);
    this.#index = undefined;
    try {
      const rows = changes.map(({ table, id, value }) => {
        const key = `${table}!${id}`;
        const text = value === undefined ? undefined : JSON.stringify(value);
        this.#checksum.set(key, text);
        return text === undefined ? ({ type: 'del', key } as const) : put(key, text);
      });
      const meta = [put(INDEX_KEY, String(index)), put(CHECKSUM_KEY, String(this.#checksum.total))];
      await this.#database.batch([...rows, ...meta], { sync: true });
      this.#index = index;
    } catch (error) {
      throw journalError(error, this.#directory, 'written');
    }
  }

  async close(): Promise<void> {
    this.#index = undefined;
    await this.#database.close();
  }
}

const put = (key: string, value: string) => ({ type: 'put', key, value }) as const;

/** Only the owner may look in; the new name is durable before anything is written below it. */
async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (first !== undefined) await syncDirectory(dirname(first));
}

/** LevelDB begins anew where its CURRENT file is missing, and deletes what it no longer knows: that must not happen. */
async function checkFiles(directory: string): Promise<void> {
  const files = await readdir(directory);
  const data = files.find((name) => name.startsWith('MANIFEST-') || name.endsWith('.ldb'));
  if (data !== undefined && !files.includes('CURRENT')) {
    throw journalCorrupt(directory, `it holds ${data}, but its file CURRENT is gone`);
  }
}

async function checkFormat(database: Level, directory: string): Promise<void> {
  const [text] = await database.getMany([FORMAT_KEY]);
  if (text !== undefined) {
    const format = parseNumber(FORMAT_KEY, text, directory);
    if (format > JOURNAL_FORMAT) throw journalTooNew(directory, format, JOURNAL_FORMAT);
    // Rows of lower formats are read as they are; what is written from here on an older bale would not know.
    if (format < JOURNAL_FORMAT) await database.put(FORMAT_KEY, String(JOURNAL_FORMAT), { sync: true });
    return;
  }
  for await (const key of database.keys({ limit: 1 })) {
    throw journalCorrupt(directory, `it holds "${key}" but does not say which format it is in`);
  }
  await database.put(FORMAT_KEY, String(JOURNAL_FORMAT), { sync: true });
}

function parseNumber(key: string, text: string, directory: string): number {
  const value = Number(text);
  if (text === '' || !Number.isSafeInteger(value) || value < 0) {
    throw journalCorrupt(directory, `"${key}" is "${text}", which is not a number`);
  }
  return value;
}

function parseRow(key: string, text: string, directory: string): Change {
  const separator = key.indexOf('!');
  const table = TABLE_NAMES.find((name) => name === key.slice(0, separator));
  if (table === undefined) throw journalCorrupt(directory, `"${key}" belongs to no table`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw journalCorrupt(directory, `the row "${key}" is not JSON`, error);
  }
  const id = key.slice(separator + 1);
  if (typeof value !== 'object' || value === null || !('id' in value) || value.id !== id) {
    throw journalCorrupt(directory, `the row "${key}" is not an object with that id`);
  }
  // Rows were typed when they were written, and the format number vouches that they are read as such.
  return { table, id, value } as Change;
}
