import type { Command } from 'commander';
import { forEachOperand, type Context } from './context.js';
import { collect } from './flags/filter.js';
import type { NodeFlags } from './update/node-spec.js';

/** `node update`, `node activate`, `node promote` and `node demote`. */
export function registerNodeUpdate(node: Command, context: Context): void {
  node
    .command('update')
    .description('Change the availability or the labels of a node')
    .argument('<node>', 'Id or hostname')
    .option('--availability <availability>', 'active, pause (no new tasks) or drain (its tasks move elsewhere)')
    .option('--label-add <label>', 'Add or change a node label', collect)
    .option('--label-rm <key>', 'Remove a node label', collect)
    .option('--role <role>', 'worker or manager')
    .addHelpText('after', '\nExample:\n  bale node update --availability pause --label-add disk=ssd h2')
    .action(async (name: string, flags: NodeFlags) => {
      const { changeNode } = await import('./update/run-node-update.js');
      await changeNode(await context.connect(), name, flags);
      context.print(`${name}\n`);
    });

  node
    .command('activate')
    .description('Let one or more nodes take tasks again, after a drain or a pause')
    .argument('<node...>', 'Id or hostname')
    .addHelpText('after', '\nExample:\n  bale node activate h2')
    .action(async (names: string[]) => {
      const { changeNode } = await import('./update/run-node-update.js');
      const client = await context.connect();
      await forEachOperand(context, names, async (name) => {
        await changeNode(client, name, { availability: 'active' });
        context.print(`${name}\n`);
      });
    });

  node
    .command('promote')
    .description('Make one or more nodes managers')
    .argument('<node...>', 'Id or hostname')
    .addHelpText('after', '\nExample:\n  bale node promote h2')
    .action(async (names: string[]) => {
      const { changeRole } = await import('./update/run-node-update.js');
      await changeRole(context, names, 'manager');
    });

  node
    .command('demote')
    .description('Make one or more managers workers')
    .argument('<node...>', 'Id or hostname')
    .addHelpText('after', '\nExample:\n  bale node demote h2')
    .action(async (names: string[]) => {
      const { changeRole } = await import('./update/run-node-update.js');
      await changeRole(context, names, 'worker');
    });
}
