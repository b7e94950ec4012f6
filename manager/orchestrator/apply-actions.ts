import { newId } from '../../core/id.js';
import type { TaskObject } from '../store/objects.js';
import type { Draft } from '../store/store-types.js';
import { withoutDrain } from '../drain/task-wish.js';
import type { TaskAction } from './task-action.js';

/** The part of a transaction that decisions need. */
export interface TaskWriter {
  put(table: 'task', row: Draft<TaskObject>): void;
  delete(table: 'task', id: string): void;
}

/** Writes decisions into a transaction. */
export function applyActions(tx: TaskWriter, actions: readonly TaskAction[]): void {
  for (const action of actions) {
    switch (action.kind) {
      case 'create':
        tx.put('task', { id: newId(), ...action.task });
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
