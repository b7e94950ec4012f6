import { isDeepStrictEqual } from 'node:util';
import type { TaskStatus } from '../../proto/engine/task-document.js';
import type { ContainerState } from '../executor/executor.js';
import type { LocalEndpoint } from '../mesh/messages.js';

export interface ObservedTask {
  readonly status: TaskStatus;
  readonly container: ContainerState | undefined;
}

/** The containers that the mesh may dial: those that run, of tasks that are running. In a stable order. */
export function localEndpoints(tasks: Iterable<ObservedTask>): readonly LocalEndpoint[] {
  const locals: LocalEndpoint[] = [];
  for (const { status, container } of tasks) {
    if (status.State !== 'running' || container?.phase !== 'running' || container.address === undefined) continue;
    locals.push({ taskId: container.taskId, address: container.address, pid: container.pid });
  }
  return locals.sort((a, b) => (a.taskId < b.taskId ? -1 : 1));
}

export const sameLocals = (a: readonly LocalEndpoint[], b: readonly LocalEndpoint[]): boolean =>
  isDeepStrictEqual(a, b);
