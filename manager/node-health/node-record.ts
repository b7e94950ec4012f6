import type { Link, NodeFacts, ProbeFacts } from './judge-node.js';
import type { ProbeAnswer } from './probe.js';

/**
 * What this manager knows of one node beyond the store. Times are awake time, ms.
 *
 * Invariant: what probes told belongs to the present silence; whenever the agent is heard it is void.
 */
export class NodeRecord {
  link: Link;
  /** Down by this silence, and written so. */
  lost: boolean;
  silentSince: number;
  #underWay = false;
  #lastEnd: number | undefined;
  #refusals = 0;
  #vouchedAt: number | undefined;
  /** Counts the silences: an answer that was asked for in an earlier one says nothing. */
  #silence = 0;

  constructor(link: Link, lost: boolean, now: number) {
    this.link = link;
    this.lost = lost;
    this.silentSince = now;
  }

  /** Its agent was heard. */
  heard(now: number): void {
    this.silentSince = now;
    this.lost = false;
    this.#lastEnd = undefined;
    this.#refusals = 0;
    this.#vouchedAt = undefined;
    this.#silence += 1;
  }

  /** Takes note that a probe is under way. The result goes to `take`. */
  beginProbe(): { take(answer: ProbeAnswer, now: number): boolean } {
    const silence = this.#silence;
    this.#underWay = true;
    return {
      /** False when the agent was heard since: the answer is out of date. */
      take: (answer, now) => {
        this.#underWay = false;
        if (silence !== this.#silence) return false;
        this.#lastEnd = now;
        this.#refusals = answer.kind === 'refused' ? this.#refusals + 1 : 0;
        if (answer.kind === 'vouch') this.#vouchedAt = now;
        return true;
      },
    };
  }

  facts(node: { stored: NodeFacts['stored']; meshAddr: string | undefined; grace: number }, now: number): NodeFacts {
    return {
      stored: node.stored,
      link: this.link,
      silentSince: this.silentSince,
      probe: this.#probe(node.meshAddr !== undefined),
      lost: this.lost,
      grace: node.grace,
      now,
    };
  }

  #probe(possible: boolean): ProbeFacts {
    return {
      possible,
      underWay: this.#underWay,
      refusals: this.#refusals,
      ...(this.#lastEnd === undefined ? {} : { lastEnd: this.#lastEnd }),
      ...(this.#vouchedAt === undefined ? {} : { vouchedAt: this.#vouchedAt }),
    };
  }
}
