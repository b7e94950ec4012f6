import type { Logger } from '../../core/logger.js';
import type { MeshReport } from '../../proto/session.js';
import type { Store } from '../store/store-types.js';
import { reportedPorts } from './node-record.js';

export type MeshAck = Pick<MeshReport, 'tableNumber' | 'inFlight'>;

/**
 * What the meshes say. Acknowledged tables and counts of requests under way change all the time and
 * live in memory; ports that could not be bound are for users to see and stand in the store.
 */
export class MeshReports {
  readonly #store: Store;
  readonly #logger: Logger;
  readonly #acks = new Map<string, MeshAck>();
  /** The last bind errors of each node as they came, so that a mere acknowledgement asks nothing of the store. */
  readonly #bindErrors = new Map<string, string>();

  readonly #listeners = new Set<() => void>();

  constructor({ store, logger }: { readonly store: Store; readonly logger: Logger }) {
    this.#store = store;
    this.#logger = logger;
  }

  /** Calls `listener` after each acknowledgement or count that came. The returned function unsubscribes. */
  onReport(listener: () => void): () => void {
    const subscription = (): void => {
      listener();
    };
    this.#listeners.add(subscription);
    return () => this.#listeners.delete(subscription);
  }

  get acks(): ReadonlyMap<string, MeshAck> {
    return this.#acks;
  }

  async report(nodeId: string, { tableNumber, inFlight, bindErrors }: MeshReport): Promise<void> {
    this.#acks.set(nodeId, { tableNumber, inFlight });
    for (const listener of this.#listeners) listener();
    const text = JSON.stringify(bindErrors);
    if (this.#bindErrors.get(nodeId) === text) return;
    this.#bindErrors.set(nodeId, text);
    for (const { publishedPort, error, notice } of bindErrors) {
      if (notice !== true)
        this.#logger.warn({ nodeId, publishedPort, err: error }, 'a published port could not be bound');
    }
    try {
      await this.#store.update((tx) => {
        const node = tx.get('node', nodeId);
        if (node !== undefined) tx.put('node', reportedPorts(node, bindErrors));
      });
    } catch (error) {
      this.#bindErrors.delete(nodeId);
      throw error;
    }
  }

  /** The node is no member any more. */
  forget(nodeId: string): void {
    this.#acks.delete(nodeId);
    this.#bindErrors.delete(nodeId);
  }
}
