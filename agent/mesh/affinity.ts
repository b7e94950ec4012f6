import type { Endpoint } from '../../proto/endpoint-table.js';

/** Where a client of a sticky port belongs. */
export type Affinity =
  /** It names its replica. */
  | { readonly kind: 'replica'; readonly taskId: string }
  /** It is known by its address alone. */
  | { readonly kind: 'address'; readonly address: string };

/** The one of `candidates` that the client belongs to; undefined when the replica it names is not among them. */
export function favourite(affinity: Affinity, candidates: readonly Endpoint[]): Endpoint | undefined {
  switch (affinity.kind) {
    case 'replica':
      return candidates.find(({ taskId }) => taskId === affinity.taskId);
    case 'address':
      return highestScore(affinity.address, candidates);
  }
}

/**
 * Rendezvous hashing: each candidate has a score for each address, and the highest wins. So all
 * meshes agree without a word, and when a candidate goes or comes only the clients that had it, or
 * have it now, move.
 */
function highestScore(address: string, candidates: readonly Endpoint[]): Endpoint | undefined {
  let best: Endpoint | undefined;
  let highest = -1;
  for (const candidate of candidates) {
    const score = hash(`${address} ${candidate.taskId}`);
    // The order of the candidates must not matter, also where two scores are the same.
    if (score < highest || (score === highest && best !== undefined && candidate.taskId >= best.taskId)) continue;
    best = candidate;
    highest = score;
  }
  return best;
}

/** FNV-1a with the last mixing of MurmurHash3, without which texts that end alike score alike. 32 bits, unsigned. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
