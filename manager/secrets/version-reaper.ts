import type { Clock } from '../../core/clock.js';
import { ControlLoop } from '../../core/control-loop.js';
import type { Logger } from '../../core/logger.js';
import type { CommittedChange, Store } from '../store/store-types.js';
import { retiredIds } from './versions.js';

/** Changes gather this long, ms: nobody waits for a version to be forgotten. */
const SETTLE = 200;

const KINDS = ['secret', 'config'] as const;
type Kind = (typeof KINDS)[number];

/** Forgets older versions of secrets and configs once no service can come back to them. */
export function startVersionReaper(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}): { close(): Promise<void> } {
  const { store, clock, logger } = options;
  const loop = new ControlLoop<Kind>({
    name: 'version reaper',
    clock,
    logger,
    settle: SETTLE,
    run: async (kinds) => {
      for (const kind of kinds) {
        if (retiredIds(kind, store.view.all(kind), store.view.all('service')).length === 0) continue;
        const retired = await store.update((tx) => {
          const ids = retiredIds(kind, tx.all(kind), tx.all('service'));
          for (const id of ids) tx.delete(kind, id);
          return ids;
        });
        for (const id of retired) logger.info({ [kind]: id }, 'version forgotten: no service refers to it');
      }
    },
  });
  const markAll = (): void => {
    for (const kind of KINDS) loop.mark(kind);
  };
  const unwatch = store.watch(({ changes }) => {
    if (changes.some(mayRetire)) markAll();
  });
  markAll();
  return {
    close: () => {
      unwatch();
      return loop.close();
    },
  };
}

/** A new version may stand above an unused one; a service that is gone or has another spec may need one less. */
const mayRetire = (change: CommittedChange): boolean => {
  if (change.table === 'secret' || change.table === 'config') return change.before === undefined;
  return change.table === 'service' && change.before !== undefined && change.before.spec !== change.after?.spec;
};
