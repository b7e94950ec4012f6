import type { Clock } from '../../core/clock.js';
import { ControlLoop } from '../../core/control-loop.js';
import type { Logger } from '../../core/logger.js';
import { dependsOf } from '../../proto/engine/depends-label.js';
import type { ServiceObject } from '../store/objects.js';
import type { CommittedChange, Store, Transaction } from '../store/store-types.js';
import { judgeDependencies } from './judge-dependencies.js';

export interface DependsLoopOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Lets a service start once those that it depends on are there, and says what they lack until then. A
 * service that was started never waits again: what it depends on may come and go.
 */
export function startDependsLoop({ store, clock, logger }: DependsLoopOptions): { close(): Promise<void> } {
  /** Services that wait, with the names of those they wait for. */
  const waiting = new Map<string, ReadonlySet<string>>();
  const loop = new ControlLoop<string>({
    name: 'depends',
    clock,
    logger,
    run: async (ids) => {
      const changed = await store.update((tx) => ids.flatMap((id) => look(tx, id)));
      for (const { service, reason } of changed) {
        const line = { serviceId: service.id, service: service.spec.Name };
        if (reason === undefined) logger.info(line, 'what the service depends on is there');
        else logger.info({ ...line, reason }, 'service waits');
      }
    },
  });
  const note = (service: ServiceObject): void => {
    if (service.awaiting === undefined) {
      waiting.delete(service.id);
      return;
    }
    waiting.set(service.id, new Set(dependsOf(service.spec.Labels)));
    loop.mark(service.id);
  };
  const markThoseWaitingFor = (name: string): void => {
    for (const [id, names] of waiting) if (names.has(name)) loop.mark(id);
  };
  const follow = (change: CommittedChange): void => {
    switch (change.table) {
      case 'service': {
        const row = change.after ?? change.before;
        if (change.after === undefined) waiting.delete(change.id);
        else if (change.after.awaiting !== change.before?.awaiting) note(change.after);
        else if (change.after.spec !== change.before?.spec) note(change.after);
        if (row !== undefined) markThoseWaitingFor(row.spec.Name);
        break;
      }
      case 'task': {
        const { serviceName } = change.after ?? change.before ?? {};
        if (serviceName !== undefined) markThoseWaitingFor(serviceName);
        break;
      }
      case 'node':
        for (const id of waiting.keys()) loop.mark(id);
        break;
      case 'cluster':
      case 'secret':
      case 'config':
      case 'audit':
        break;
    }
  };
  const unwatch = store.watch((commit) => {
    if (waiting.size > 0 || commit.changes.some(({ table }) => table === 'service')) commit.changes.forEach(follow);
  });
  store.view.all('service').forEach(note);
  return {
    close: () => {
      unwatch();
      return loop.close();
    },
  };
}

interface Looked {
  readonly service: ServiceObject;
  /** Absent: it may start. */
  readonly reason: string | undefined;
}

/** Writes only what changed. */
function look(tx: Transaction, id: string): readonly Looked[] {
  const service = tx.get('service', id);
  if (service?.awaiting === undefined) return [];
  const reason = judgeDependencies(dependsOf(service.spec.Labels), {
    serviceOf: (name) => tx.serviceByName(name),
    tasksOf: (serviceId) => tx.tasksByService(serviceId),
    nodeOf: (nodeId) => tx.get('node', nodeId),
    nodes: tx.all('node'),
  });
  if (reason === service.awaiting.reason) return [];
  const { awaiting, ...rest } = service;
  tx.put('service', reason === undefined ? rest : { ...rest, awaiting: { ...awaiting, reason } });
  return [{ service, reason }];
}
