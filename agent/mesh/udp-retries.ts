import { backoffDelay, type BackoffPolicy } from '../../core/backoff.js';
import type { Clock } from '../../core/clock.js';
import { DATAGRAM_OVERHEAD, MOST_WAITING_BYTES } from './datagram-link.js';

/** Between two rounds of tries of one datagram. */
const PAUSE: BackoffPolicy = { initial: 50, max: 400 };

/** A datagram that was not answered, and what was tried with it. */
export interface Undelivered {
  readonly datagram: Buffer;
  /** When it came, ms since the epoch. */
  readonly arrivedAt: number;
  /** Task ids of those that refused it in this round. */
  readonly refusedBy: ReadonlySet<string>;
  /** Rounds before this one, in each of which all that were asked refused it. */
  readonly rounds: number;
}

export interface UdpRetriesOptions<Client> {
  readonly clock: Clock;
  /** ms after its arrival for which a datagram is tried, as a connection is dialled. */
  readonly budget: number;
  /** Begins another round. */
  readonly onDue: (client: Client, undelivered: Undelivered) => void;
}

/**
 * Datagrams that every endpoint refused, each waiting for its next round: a container that runs may
 * not listen yet. They take a bounded amount of memory.
 */
export class UdpRetries<Client> {
  readonly #options: UdpRetriesOptions<Client>;
  /** What cancels the round of each. */
  readonly #waiting = new Map<Undelivered, { readonly client: Client; readonly cancel: () => void }>();
  #size = 0;

  constructor(options: UdpRetriesOptions<Client>) {
    this.#options = options;
  }

  /** Drops it when its time is over, or too much waits. */
  add(client: Client, { datagram, arrivedAt, rounds }: Undelivered): void {
    const { clock, budget, onDue } = this.#options;
    const pause = backoffDelay(PAUSE, rounds);
    if (clock.now() + pause - arrivedAt > budget) return;
    if (this.#size + DATAGRAM_OVERHEAD + datagram.length > MOST_WAITING_BYTES) return;
    const next: Undelivered = { datagram, arrivedAt, refusedBy: new Set(), rounds: rounds + 1 };
    const cancel = clock.schedule(pause, () => {
      this.#forget(next);
      onDue(client, next);
    });
    this.#waiting.set(next, { client, cancel });
    this.#size += DATAGRAM_OVERHEAD + datagram.length;
  }

  /** All of them, for another process; nothing waits afterwards. */
  take(): readonly { readonly client: Client; readonly datagram: Buffer }[] {
    const all = [...this.#waiting].map(([{ datagram }, { client }]) => ({ client, datagram }));
    this.clear();
    return all;
  }

  clear(): void {
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#waiting.clear();
    this.#size = 0;
  }

  #forget(undelivered: Undelivered): void {
    this.#waiting.delete(undelivered);
    this.#size -= DATAGRAM_OVERHEAD + undelivered.datagram.length;
  }
}
