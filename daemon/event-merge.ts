import type { Clock } from '../core/clock.js';
import type { ClusterEvent } from '../manager/events/cluster-event.js';
import { momentOfLine } from './event-line.js';
import { momentOf } from './event-time.js';

/** An Engine that says nothing for so long has told what it remembers, ms. */
const QUIET_MS = 100;

export interface EventMergeOptions {
  /** What the cluster remembers; undefined: neither side was asked for its past, or one side alone was asked. */
  readonly past: readonly ClusterEvent[] | undefined;
  readonly clock: Clock;
  readonly write: (entries: readonly (ClusterEvent | Buffer)[]) => void;
}

/**
 * Puts the events of both sides in order of time while they tell what they remember; from then on each event goes
 * on as it comes. The Engine does not say where its past ends: an event of now, silence or its end tells.
 */
export class EventMerge {
  readonly #options: EventMergeOptions;
  readonly #begun: number;
  /** The cluster's, in order, that wait for older ones of the Engine; undefined once the past is told. */
  #held: ClusterEvent[] | undefined;
  #cancel: (() => void) | undefined;

  constructor(options: EventMergeOptions) {
    this.#options = options;
    this.#begun = options.clock.now();
    this.#held = options.past === undefined ? undefined : [...options.past];
    if (this.#held !== undefined) this.#waitForQuiet();
  }

  addCluster(events: readonly ClusterEvent[]): void {
    if (this.#held === undefined) this.#options.write(events);
    else this.#held.push(...events);
  }

  /** Whole lines of the Engine. */
  addEngine(lines: Buffer): void {
    if (this.#held === undefined) {
      this.#options.write([lines]);
      return;
    }
    for (const line of lines.toString().split('\n').slice(0, -1)) this.#order(`${line}\n`);
    if (this.#held.length > 0) this.#waitForQuiet();
  }

  /** The Engine has told its past: what waits goes on. */
  release(): void {
    this.#cancel?.();
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#options.write(held);
  }

  #order(line: string): void {
    const moment = momentOfLine(line) ?? 0;
    const held = this.#held ?? [];
    const older = held.findIndex((event) => momentOf(event) > moment);
    this.#options.write(held.splice(0, older < 0 ? held.length : older));
    this.#options.write([Buffer.from(line)]);
    if (moment > this.#begun) this.release();
  }

  #waitForQuiet(): void {
    this.#cancel?.();
    this.#cancel = this.#options.clock.schedule(QUIET_MS, () => {
      this.release();
    });
  }
}
