import type { NodeDocument, NodeRole } from '../../proto/engine/node-document.js';
import type { ApiClient } from '../client.js';
import { forEachOperand, type Context } from '../context.js';
import { patchNode, type NodeFlags } from './node-spec.js';

/** Reads the node, patches its spec and writes it. */
export async function changeNode(client: ApiClient, name: string, flags: NodeFlags): Promise<NodeDocument> {
  const node = await client.get<NodeDocument>(`/nodes/${encodeURIComponent(name)}`);
  await client.post(`/nodes/${node.ID}/update`, patchNode(node.Spec, flags), { version: node.Version.Index });
  return node;
}

/** `node promote` and `node demote`. */
export async function changeRole(context: Context, names: readonly string[], role: NodeRole): Promise<void> {
  const client = await context.connect();
  await forEachOperand(context, names, async (name) => {
    const node = await client.get<NodeDocument>(`/nodes/${encodeURIComponent(name)}`);
    if (node.Spec.Role === role) {
      context.print(`Node ${name} is already a ${role}.\n`);
      return;
    }
    await client.post(`/nodes/${node.ID}/update`, patchNode(node.Spec, { role }), { version: node.Version.Index });
    const done = role === 'manager' ? `Node ${name} promoted to a manager` : `Manager ${name} demoted`;
    context.print(`${done} in the swarm.\n`);
  });
}
