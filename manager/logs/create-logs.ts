import type { Clock } from '../../core/clock.js';
import { isTerminal } from '../../proto/engine/task-state.js';
import type { TaskSpec } from '../../proto/engine/task-spec.js';
import { findService, findTask } from '../api/lookup.js';
import { taskName } from '../api/task-document.js';
import type { Store } from '../store/store-types.js';
import type { NodeStreams } from '../streams/node-streams.js';
import { LogReading, type LogReadingOptions } from './log-reading.js';
import { readLogOptions, type LogQuery } from './log-options.js';
import type { Logs, LogStream } from './logs.js';

export interface LogsOptions {
  readonly store: Store;
  readonly streams: NodeStreams;
  readonly clock: Clock;
}

export function createLogs({ store, streams, clock }: LogsOptions): Logs {
  const open = (
    spec: TaskSpec,
    query: LogQuery,
    subject: Pick<LogReadingOptions, 'tasks' | 'isLasting'>,
  ): LogStream => {
    const options = readLogOptions(query);
    const multiplexed = spec.ContainerSpec.TTY !== true;
    const form = { multiplexed, options };
    const reading = new LogReading({ store, streams, clock, form, options, nameOf: taskName, ...subject });
    return { multiplexed, body: reading.body };
  };
  return {
    ofService: (id, query) => {
      const service = findService(store.view, id);
      return open(service.spec.TaskTemplate, query, {
        tasks: () => store.view.tasksByService(service.id),
        isLasting: () => store.view.get('service', service.id) !== undefined,
      });
    },
    ofTask: (id, query) => {
      const task = findTask(store.view, id);
      const present = () => store.view.get('task', task.id);
      return open(task.spec, query, {
        tasks: () => [present() ?? []].flat(),
        isLasting: () => !isTerminal(present()?.status.State ?? 'remove'),
      });
    },
  };
}
