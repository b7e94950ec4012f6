import type { NodeDocument } from '../../proto/engine/node-document.js';
import type { PayloadDocument } from '../../proto/engine/payload-document.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import type { ApiClient } from '../client.js';
import type { Named } from './value-source.js';
import { naturalOrder } from '../view/natural-order.js';

/** Nobody waits longer for a completion, ms. */
const LONGEST_WAIT_MS = 1000;

/** Names as the daemon has them now; none when there is no daemon, or it is slow, or no manager. */
export async function namesOf(connect: () => Promise<ApiClient>, kind: Named): Promise<readonly string[]> {
  try {
    const client = await connect();
    const names = await readNames(client, kind, AbortSignal.timeout(LONGEST_WAIT_MS));
    return [...new Set(names)].sort(naturalOrder);
  } catch {
    // A completion that cannot be had is no error: the line is still being written.
    return [];
  }
}

async function readNames(client: ApiClient, kind: Named, signal: AbortSignal): Promise<readonly string[]> {
  switch (kind) {
    case 'services':
      return (await client.get<ServiceDocument[]>('/services', {}, { signal })).map(({ Spec }) => Spec.Name);
    case 'tasks':
      return readTasks(client, signal);
    case 'nodes':
      return (await client.get<NodeDocument[]>('/nodes', {}, { signal })).map(
        ({ Description }) => Description.Hostname,
      );
    case 'secrets':
    case 'configs':
      return (await client.get<PayloadDocument[]>(`/${kind}`, {}, { signal })).map(({ Spec }) => Spec.Name);
  }
}

/** Running tasks as people name them: `web.1`, and with the id of its node that of a global service. */
async function readTasks(client: ApiClient, signal: AbortSignal): Promise<readonly string[]> {
  const filters = JSON.stringify({ 'desired-state': { running: true } });
  const [services, tasks] = await Promise.all([
    client.get<ServiceDocument[]>('/services', {}, { signal }),
    client.get<TaskDocument[]>('/tasks', { filters }, { signal }),
  ]);
  const names = new Map(services.map(({ ID, Spec }) => [ID, Spec.Name]));
  return tasks.flatMap(({ ServiceID, Slot, NodeID }) => {
    const name = names.get(ServiceID);
    const place = Slot ?? NodeID;
    return name === undefined || place === undefined ? [] : [`${name}.${place}`];
  });
}
