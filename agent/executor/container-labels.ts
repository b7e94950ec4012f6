import type { Assignment } from '../../proto/assignment.js';

export const TASK_ID_LABEL = 'com.docker.swarm.task.id';
export const NODE_ID_LABEL = 'com.docker.swarm.node.id';
export const SERVICE_ID_LABEL = 'com.docker.swarm.service.id';

/** `<service>.<slot>.<taskId>`, as Swarm names containers; without a slot (0) the node stands in its place. */
export const containerName = ({ serviceName, slot, taskId }: Assignment, nodeId: string): string =>
  `${serviceName}.${slot === 0 ? nodeId : slot}.${taskId}`;

/** The labels by which tools, and this node after a restart, know whose container it is. */
export const taskLabels = (assignment: Assignment, nodeId: string): Record<string, string> => ({
  'com.docker.swarm.task': '',
  [TASK_ID_LABEL]: assignment.taskId,
  'com.docker.swarm.task.name': containerName(assignment, nodeId),
  [NODE_ID_LABEL]: nodeId,
  [SERVICE_ID_LABEL]: assignment.serviceId,
  'com.docker.swarm.service.name': assignment.serviceName,
});
