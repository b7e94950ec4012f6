import type { NodeObject } from '../store/objects.js';
import type { Ledger } from './ledger.js';
import { NodePool } from './node-pool.js';

/** The pool of the last pass, kept for the next one while it still shows the nodes as they stand. */
export class KeptPool {
  #pool: NodePool | undefined;

  /** `nodes` in the order of their ids. */
  of(nodes: readonly NodeObject[], ledger: Ledger, suspects: ReadonlySet<string>): NodePool {
    if (this.#pool?.shows(nodes, ledger, suspects) !== true) this.#pool = new NodePool(nodes, ledger, suspects);
    return this.#pool;
  }
}
