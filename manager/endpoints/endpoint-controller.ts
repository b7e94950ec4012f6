import { errorMessage } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { EndpointTable } from '../../proto/endpoint-table.js';
import type { Store } from '../store/store-types.js';
import { RouteCache } from './route-cache.js';

export interface EndpointController {
  /** The newest table. Its number is the store index at which its content came about, or at which the controller started. */
  readonly table: EndpointTable;
  /** Calls `listener` with each new table, not with the present one. The returned function unsubscribes. */
  onTable(listener: (table: EndpointTable) => void): () => void;
  close(): Promise<void>;
}

export interface EndpointControllerOptions {
  readonly store: Pick<Store, 'view' | 'watch'>;
  readonly logger: Logger;
}

/**
 * Keeps the endpoint table beside the store. The table follows each commit in the same turn of the
 * event loop and is published only when it says something new; its number grows also over manager
 * restarts, because the store index does.
 */
export function startEndpointController({ store, logger }: EndpointControllerOptions): EndpointController {
  const cache = new RouteCache(store.view);
  const listeners = new Set<(table: EndpointTable) => void>();
  let table: EndpointTable = { number: store.view.index, ...cache.routes };
  const unwatch = store.watch((commit) => {
    if (!cache.apply(commit)) return;
    table = { number: commit.index, ...cache.routes };
    logger.debug({ number: table.number, ports: table.ports.length }, 'new endpoint table');
    for (const listener of [...listeners]) {
      try {
        listener(table);
      } catch (error) {
        logger.error({ err: errorMessage(error), number: table.number }, 'a listener for endpoint tables threw');
      }
    }
  });
  return {
    get table() {
      return table;
    },
    onTable(listener) {
      // Wrapped, so that one function subscribed twice is two subscriptions.
      const subscription = (next: EndpointTable): void => {
        listener(next);
      };
      listeners.add(subscription);
      return () => listeners.delete(subscription);
    },
    close() {
      unwatch();
      listeners.clear();
      return Promise.resolve();
    },
  };
}
