import type { NodeDocument } from '../../proto/engine/node-document.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import type { ApiClient } from '../client.js';

export interface NodesLook {
  readonly nodeNames: ReadonlyMap<string, string>;
  readonly counts: Pick<ServiceDocument, 'ServiceStatus'>;
}

export const NO_NODES: NodesLook = { nodeNames: new Map(), counts: {} };

/** How many nodes shall have a task of the service, which its document alone does not say. */
export async function lookAtNodes(client: ApiClient, id: string): Promise<NodesLook> {
  const filters = JSON.stringify({ id: { [id]: true } });
  const [nodes, services] = await Promise.all([
    client.get<NodeDocument[]>('/nodes'),
    client.get<ServiceDocument[]>('/services', { filters, status: true }),
  ]);
  const nodeNames = new Map(nodes.map(({ ID, Description }) => [ID, Description.Hostname ?? ID] as const));
  const status = services.find(({ ID }) => ID === id)?.ServiceStatus;
  return { nodeNames, counts: status === undefined ? {} : { ServiceStatus: status } };
}
