import { newId } from '../../core/id.js';
import type { ClusterObject, TaskObject } from '../store/objects.js';
import type { Draft } from '../store/store-types.js';
import { withoutDrain } from '../drain/task-wish.js';
import type { NewTask, TaskAction } from './task-action.js';

/** The part of a transaction that decisions need. */
export interface TaskWriter {
  put(table: 'task', row: Draft<TaskObject>): void;
  delete(table: 'task', id: string): void;
  all(table: 'cluster'): readonly ClusterObject[];
}

/** Writes decisions into a transaction. New tasks that name no log driver get the swarm's default. */
export function applyActions(tx: TaskWriter, actions: readonly TaskAction[]): void {
  for (const action of actions) {
    switch (action.kind) {
      case 'create':
        tx.put('task', { id: newId(), ...action.task, ...defaultsOf(action.task, tx) });
        break;
      case 'wish':
        tx.put('task', { ...withoutDrain(action.task), desiredState: action.desiredState });
        break;
      case 'drain':
        tx.put('task', { ...action.task, draining: action.draining });
        break;
      case 'amend':
        tx.put('task', action.task);
        break;
      case 'lose':
        tx.put('task', {
          ...withoutDrain(action.task),
          desiredState: action.desiredState,
          lostReason: action.reason,
          ...(action.status === undefined ? {} : { status: action.status }),
        });
        break;
      case 'delete':
        tx.delete('task', action.task.id);
        break;
    }
  }
}

/** As in Swarm a change of the default concerns new tasks only: it is no part of their spec, so none is replaced for it. */
function defaultsOf({ spec }: NewTask, tx: TaskWriter): Pick<TaskObject, 'logDriver'> {
  const LogDriver = tx.all('cluster')[0]?.spec.TaskDefaults.LogDriver;
  return spec.LogDriver !== undefined || LogDriver === undefined ? {} : { logDriver: LogDriver };
}
