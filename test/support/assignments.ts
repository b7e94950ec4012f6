import type { Assignment } from '../../proto/assignment.js';
import type { ContainerSpec } from '../../proto/engine/container-spec.js';
import type { TaskSpec } from '../../proto/engine/task-spec.js';

export interface AssignmentParts extends Partial<Omit<Assignment, 'spec'>> {
  readonly container?: Partial<ContainerSpec>;
  readonly spec?: Partial<TaskSpec>;
}

/** An assignment that is to run, with what matters to a test put in. */
export function assignment(taskId: string, parts: AssignmentParts = {}): Assignment {
  const { container, spec, ...rest } = parts;
  return {
    taskId,
    serviceId: 'service-web',
    serviceName: 'web',
    serviceLabels: {},
    slot: 1,
    desiredState: 'running',
    status: { Timestamp: '2026-01-01T00:00:00.000Z', State: 'assigned', Message: 'assigned' },
    hostPorts: [],
    ...rest,
    spec: { ...spec, ContainerSpec: { Image: 'bale-test:1', ...container } },
  };
}
