/** ms for which an answer to a datagram is waited for: what is later counts as lost, or was never meant to come. */
const ANSWER_PATIENCE = 2_000;
/** ms after an answer in which more of it may come. */
const ANSWER_TAIL = 100;

/**
 * What passed between one client and one endpoint, and what follows from it. UDP has no end of a
 * request: it is taken to be over when each datagram of the client had one in return, or nothing
 * came for a while. Times are ms since the epoch.
 */
export class UdpActivity {
  #lastSentAt: number;
  #lastAnswerAt: number | undefined;
  /** Datagrams of the client that are ahead of those of the endpoint; never negative. */
  #unanswered = 0;

  constructor(now: number) {
    this.#lastSentAt = now;
  }

  /** A datagram of the client was passed on. */
  sent(now: number): void {
    this.#lastSentAt = now;
    this.#unanswered += 1;
  }

  /** A datagram of the endpoint came. */
  answered(now: number): void {
    this.#lastAnswerAt = now;
    if (this.#unanswered > 0) this.#unanswered -= 1;
  }

  get wasAnswered(): boolean {
    return this.#lastAnswerAt !== undefined;
  }

  /** Whether an answer is still waited for. */
  isOutstanding(now: number): boolean {
    return this.#unanswered > 0 && now - this.#lastSentAt < ANSWER_PATIENCE;
  }

  /** Whether it counts as in flight: an answer is waited for, or may just be coming in several parts. */
  isBusy(now: number): boolean {
    return this.isOutstanding(now) || (this.#lastAnswerAt !== undefined && now - this.#lastAnswerAt < ANSWER_TAIL);
  }

  /** Whether no datagram passed either way for `timeout` ms. */
  isIdle(now: number, timeout: number): boolean {
    return now - Math.max(this.#lastSentAt, this.#lastAnswerAt ?? 0) >= timeout;
  }
}
