import type { Command } from 'commander';
import type { NodeDocument, NodeSpec } from '../proto/engine/node-document.js';
import type { ApiClient } from './client.js';
import { forEachOperand, type Context } from './context.js';
import { collect } from './flags/filter.js';
import { parseLabels } from './flags/labels.js';
import { usageError } from './flags/usage-error.js';

interface UpdateFlags {
  readonly availability?: string;
  readonly labelAdd?: readonly string[];
  readonly labelRm?: readonly string[];
}

export function registerNodeUpdate(node: Command, context: Context): void {
  node
    .command('update')
    .description('Change the availability or the labels of a node')
    .argument('<node>', 'Id or hostname')
    .option('--availability <availability>', 'active, pause (nothing new), or drain (emptied)')
    .option('--label-add <label>', 'Add or replace a label', collect)
    .option('--label-rm <label>', 'Remove a label', collect)
    .action(async (id: string, flags: UpdateFlags) => {
      const client = await context.connect();
      await update(client, id, flags);
      context.print(`${id}\n`);
    });

  node
    .command('drain')
    .description('Empty one or more nodes: their tasks move one at a time per service, each replaced before it stops')
    .argument('<node...>', 'Id or hostname')
    .action(async (ids: string[]) => {
      const client = await context.connect();
      await forEachOperand(context, ids, async (id) => {
        await update(client, id, { availability: 'drain' });
        context.print(`${id}\n`);
      });
    });
}

async function update(client: ApiClient, id: string, flags: UpdateFlags): Promise<void> {
  const { availability, labelAdd = [], labelRm = [] } = flags;
  const { ID, Spec, Version } = await client.get<NodeDocument>(`/nodes/${encodeURIComponent(id)}`);
  const kept = Object.entries(Spec.Labels).filter(([label]) => !labelRm.includes(label));
  const spec: NodeSpec = {
    ...Spec,
    Labels: { ...Object.fromEntries(kept), ...parseLabels(labelAdd) },
    ...(availability === undefined ? {} : { Availability: availabilityOf(availability) }),
  };
  await client.post(`/nodes/${ID}/update`, spec, { version: Version.Index });
}

function availabilityOf(text: string): NodeSpec['Availability'] {
  if (text === 'active' || text === 'pause' || text === 'drain') return text;
  throw usageError('--availability', text, 'it is active, pause, or drain');
}
