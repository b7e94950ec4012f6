import type { Hold } from '../../proto/endpoint-table.js';
import { DATAGRAM_OVERHEAD, MOST_WAITING_BYTES } from './datagram-link.js';
import { judgeHold } from './hold.js';

export interface WaitingFacts {
  readonly hold: Hold;
  /** Since when there is no endpoint at all, ms since the epoch; undefined while a draining one is there. */
  readonly emptySince: number | undefined;
  readonly now: number;
}

interface Entry<Client> {
  readonly client: Client;
  readonly datagram: Buffer;
  readonly arrivedAt: number;
}

/**
 * Datagrams of one port that wait for an endpoint, in the order in which they came. They take a
 * bounded amount of memory; one that waited as long as the service lets it is dropped.
 */
export class UdpWaiting<Client> {
  #entries: Entry<Client>[] = [];
  #size = 0;

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Drops it when it may not wait, or too much does. */
  add(client: Client, datagram: Buffer, facts: WaitingFacts): void {
    if (!mayWait(facts.now, facts)) return;
    const overdue = this.#entries.findIndex(({ arrivedAt }) => mayWait(arrivedAt, facts));
    if (overdue !== 0) this.#forget(overdue === -1 ? this.#entries.length : overdue);
    if (this.#size + DATAGRAM_OVERHEAD + datagram.length > MOST_WAITING_BYTES) return;
    this.#size += DATAGRAM_OVERHEAD + datagram.length;
    this.#entries.push({ client, datagram, arrivedAt: facts.now });
  }

  /** All that may still go, for an endpoint that has come; nothing waits afterwards. */
  take(facts: WaitingFacts): readonly Entry<Client>[] {
    const entries = this.#entries.filter(({ arrivedAt }) => mayWait(arrivedAt, facts));
    this.clear();
    return entries;
  }

  clear(): void {
    this.#entries = [];
    this.#size = 0;
  }

  #forget(count: number): void {
    for (const { datagram } of this.#entries.splice(0, count)) this.#size -= DATAGRAM_OVERHEAD + datagram.length;
  }
}

const mayWait = (arrivedAt: number, facts: WaitingFacts): boolean => judgeHold({ ...facts, arrivedAt }).kind === 'wait';
