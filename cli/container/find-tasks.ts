import { BaleError } from '../../core/errors.js';
import type { NodeDocument } from '../../proto/engine/node-document.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import type { ApiClient } from '../client.js';
import { filtersQuery } from '../flags/filter.js';
import { naturalOrder } from '../view/natural-order.js';

/** A task whose container a command looks into. */
export interface FoundTask {
  readonly id: string;
  readonly service: string;
  /** `web.3`; of a global service `agent.<node id>`. */
  readonly name: string;
  /** The container's name on its Engine, by which the daemon finds it: `web.3.<task id>`. */
  readonly container: string;
  readonly containerId: string;
  readonly nodeId: string;
  /** Hostname. */
  readonly node: string;
  readonly slot: number;
}

/** Running tasks of all services, or of those that are named; by service and slot. */
export async function runningTasks(client: ApiClient, services: readonly ServiceDocument[]): Promise<FoundTask[]> {
  const ids = Object.fromEntries(services.map(({ ID }) => [ID, true]));
  const filters = { 'desired-state': { running: true }, ...(services.length === 0 ? {} : { service: ids }) };
  const [tasks, nodes, all] = await Promise.all([
    client.get<TaskDocument[]>('/tasks', { filters: filtersQuery(filters) }),
    client.get<NodeDocument[]>('/nodes'),
    services.length > 0 ? services : client.get<ServiceDocument[]>('/services'),
  ]);
  const hostnames = new Map(nodes.map(({ ID, Description }) => [ID, Description.Hostname]));
  const names = new Map(all.map(({ ID, Spec }) => [ID, Spec.Name]));
  return tasks
    .filter(({ Status }) => Status.State === 'running')
    .map((task) => foundTask(task, names.get(task.ServiceID) ?? task.ServiceID, hostnames))
    .sort(
      (a, b) =>
        naturalOrder(a.service, b.service) ||
        a.slot - b.slot ||
        naturalOrder(a.node, b.node) ||
        naturalOrder(a.id, b.id),
    );
}

function foundTask(task: TaskDocument, service: string, hostnames: ReadonlyMap<string, string>): FoundTask {
  const nodeId = task.NodeID ?? '';
  const name = `${service}.${task.Slot ?? nodeId}`;
  return {
    id: task.ID,
    service,
    name,
    container: `${name}.${task.ID}`,
    containerId: task.Status.ContainerStatus?.ContainerID ?? '',
    nodeId,
    node: hostnames.get(nodeId) ?? nodeId,
    slot: task.Slot ?? 0,
  };
}

/** The service of exactly this name or id. Undefined where there is none, or no manager to ask. */
export async function serviceNamed(client: ApiClient, name: string): Promise<ServiceDocument | undefined> {
  // No service has a dot in its name; what has one is a task.
  if (name.includes('.') || name === '') return undefined;
  try {
    const found = await client.get<ServiceDocument>(`/services/${encodeURIComponent(name)}`);
    return found.Spec.Name === name || found.ID === name ? found : undefined;
  } catch (error) {
    // A worker knows its own containers only, and they may be named all the same.
    if (
      error instanceof BaleError &&
      (error.kind === 'not-found' || error.kind === 'unavailable' || error.kind === 'invalid')
    )
      return undefined;
    throw error;
  }
}

/**
 * The tasks that an operand of `top` and `stats` means: those of a service, or one by its id, its name,
 * `service.slot` or `service.node`. Undefined when it is none of these. Throws where no manager can be asked.
 */
export async function tasksNamed(client: ApiClient, operand: string): Promise<readonly FoundTask[] | undefined> {
  const service = await serviceNamed(client, operand);
  if (service !== undefined) return runningTasks(client, [service]);
  const owner = await serviceNamed(client, operand.split('.', 1)[0] ?? '');
  if (owner !== undefined && operand.includes('.')) {
    const tasks = await runningTasks(client, [owner]);
    const found = tasks.filter((task) => isMeant(task, operand));
    return found.length === 0 ? undefined : found;
  }
  const tasks = await runningTasks(client, []);
  const byId = tasks.filter(({ id }) => operand.length >= 12 && id.startsWith(operand));
  return byId.length === 1 ? byId : undefined;
}

const isMeant = ({ name, container, service, node }: FoundTask, operand: string): boolean =>
  operand === name ||
  operand === `${service}.${node}` ||
  (operand.startsWith(`${name}.`) && container.startsWith(operand));

/**
 * What `exec`, `attach` and `cp` put into the path of a request. The name of a service stands for the
 * first of its running tasks; anything else is looked up by the daemon.
 */
export async function containerNamed(client: ApiClient, operand: string): Promise<string> {
  const service = await serviceNamed(client, operand);
  if (service === undefined) return encodeURIComponent(operand);
  const [first] = await runningTasks(client, [service]);
  if (first !== undefined) return first.container;
  throw new BaleError(
    `service ${operand} has no running task; see what its tasks wait for with: bale service ps ${operand}`,
    { kind: 'failed-precondition', code: 'BALE_NO_RUNNING_TASK' },
  );
}
