import type { ServerResponse } from 'node:http';
import type { Clock } from '../core/clock.js';
import type { ClusterEvent } from '../manager/events/cluster-event.js';
import { eventLine, lastLine } from './event-line.js';

/** What waits for a watcher beyond this is too much, when it has taken nothing for `PATIENCE_MS`. */
const MANY = 10_000;
const PATIENCE_MS = 5_000;
/** The most that ever waits for one watcher: entries, and bytes of the Engine's. Entries are shared by all watchers. */
export const MOST_ENTRIES = 100_000;
export const MOST_BYTES = 4 * 1024 * 1024;
/** How long a watcher that was cut has to read what it was told last. */
const FAREWELL_MS = 10_000;
/** Entries that are written in one turn of the event loop. */
const AT_ONCE = 256;

type Entry = ClusterEvent | Buffer;

/**
 * Writes to one watcher, in order. It never waits for it: what the watcher does not take is kept as
 * references to events that all share, within bounds; then the watcher is told so and cut off.
 */
export class EventWriter {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #onCut: () => void;
  #entries: Entry[] = [];
  #bytes = 0;
  #takenAt: number;
  #turn: NodeJS.Immediate | undefined;
  #state: 'open' | 'ending' | 'over' = 'open';

  /** `onCut`: the watcher gets nothing more, and what feeds it can go. */
  constructor(response: ServerResponse, clock: Clock, onCut: () => void) {
    this.#response = response;
    this.#clock = clock;
    this.#onCut = onCut;
    this.#takenAt = clock.now();
    response.on('drain', () => {
      this.#takenAt = clock.now();
      this.#write();
    });
    response.on('close', () => {
      this.#drop();
    });
  }

  /** Takes what is to be written next. After the end, and once the watcher is cut off or gone, it is thrown away. */
  add(entries: readonly Entry[]): void {
    if (this.#state !== 'open' || entries.length === 0) return;
    for (const entry of entries) {
      this.#entries.push(entry);
      if (Buffer.isBuffer(entry)) this.#bytes += entry.length;
    }
    if (this.#isTooMuch()) this.#cut();
    else this.#writeSoon();
  }

  /** Ends the answer once all is written. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#writeSoon();
  }

  #isTooMuch(): boolean {
    const waiting = this.#entries.length;
    if (waiting > MOST_ENTRIES || this.#bytes > MOST_BYTES) return true;
    const isStuck = this.#response.writableNeedDrain && this.#clock.now() - this.#takenAt > PATIENCE_MS;
    return isStuck && waiting > MANY;
  }

  #writeSoon(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#write();
    });
  }

  #write(): void {
    if (this.#state === 'over' || this.#response.writableNeedDrain) return;
    const taken = this.#entries.slice(0, AT_ONCE);
    if (taken.length > 0) {
      this.#entries = this.#entries.slice(taken.length);
      this.#takenAt = this.#clock.now();
      this.#response.write(Buffer.concat(taken.map((entry) => this.#bytesOf(entry))));
    }
    if (this.#entries.length > 0) this.#writeSoon();
    else if (this.#state === 'ending') this.#finish();
  }

  #bytesOf(entry: Entry): Buffer {
    if (!Buffer.isBuffer(entry)) return Buffer.from(eventLine(entry));
    this.#bytes -= entry.length;
    return entry;
  }

  #finish(): void {
    this.#state = 'over';
    this.#response.end();
  }

  /** The answer breaks off, so that nobody takes it for complete. */
  #cut(): void {
    const waiting = this.#entries.length;
    this.#drop();
    const error = `this client did not read: it was cut off, and ${waiting} events were not sent`;
    const cancel = this.#clock.schedule(FAREWELL_MS, () => this.#response.destroy());
    this.#response.on('close', cancel);
    this.#onCut();
    this.#response.write(lastLine(error, this.#clock.now()), () => this.#response.destroy());
  }

  #drop(): void {
    this.#state = 'over';
    this.#entries = [];
    this.#bytes = 0;
    if (this.#turn !== undefined) clearImmediate(this.#turn);
  }
}
