/**
 * A process that writes without end through the real store, to be killed: several writers, each
 * raising the number in its two nodes together. Prints `writer number index` for each acknowledged write.
 */
import { systemClock } from '../../core/clock.js';
import { createLogger } from '../../core/logger.js';
import { openLevelJournal } from '../../manager/store/level-journal.js';
import { openStore } from '../../manager/store/store.js';
import type { Store } from '../../manager/store/store-types.js';
import { draftNode } from '../support/stored-objects.js';

const WRITERS = 6;
/** Long enough that LevelDB turns its log over within a few hundred writes. */
const PADDING = 'x'.repeat(2_000);

const [directory = ''] = process.argv.slice(2);
// The writer must not outlive its test.
process.stdin.on('end', () => process.exit(1)).resume();

const numberOf = (store: Store, id: string): number => Number(store.view.get('node', id)?.status.message ?? 0);

async function write(store: Store, writer: number): Promise<never> {
  for (let number = numberOf(store, `${writer}-left`) + 1; ; number++) {
    const index = await store.update((tx) => {
      const status = { state: 'ready', message: String(number), addr: PADDING } as const;
      for (const side of ['left', 'right']) tx.put('node', draftNode(`${writer}-${side}`, { status }));
      // A row that comes and goes with each write: there while the number is odd.
      if (number % 2 === 1) tx.put('node', draftNode(`${writer}-odd`, { status }));
      else tx.delete('node', `${writer}-odd`);
      return tx.index;
    });
    process.stdout.write(`${writer} ${number} ${index}\n`);
  }
}

const store = await openStore({
  journal: await openLevelJournal(directory),
  clock: systemClock,
  logger: createLogger('silent'),
});
await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(store, writer)));
