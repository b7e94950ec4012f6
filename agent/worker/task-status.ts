import { timestamp } from '../../core/clock.js';
import type { TaskStatus } from '../../proto/engine/task-document.js';
import type { TaskState } from '../../proto/engine/task-state.js';
import type { ContainerState } from '../executor/executor.js';

/** A task's status document, with what is known of its container. */
export function taskStatus(
  report: {
    readonly state: TaskState;
    readonly message: string;
    readonly err?: string;
    readonly health?: TaskStatus['health'];
  },
  container: ContainerState | undefined,
  now: number,
): TaskStatus {
  return {
    Timestamp: timestamp(now),
    State: report.state,
    Message: report.message,
    ...(report.err === undefined ? {} : { Err: report.err }),
    ...(report.health === undefined ? {} : { health: report.health }),
    // A container that was just created is known by its task alone; its id comes with the start.
    ...(container === undefined || container.containerId === ''
      ? {}
      : {
          ContainerStatus: {
            ContainerID: container.containerId,
            PID: container.pid,
            ExitCode: container.exitCode,
          },
        }),
    ...(container === undefined || container.hostPorts.length === 0
      ? {}
      : { PortStatus: { Ports: [...container.hostPorts] } }),
  };
}
