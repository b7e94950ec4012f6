import type { Command } from 'commander';
import { BaleError } from '../core/errors.js';
import type { NodeDocument } from '../proto/engine/node-document.js';
import type { SwarmDocument, SwarmInfo } from '../proto/engine/swarm-document.js';
import type { Context } from './context.js';

type Role = 'worker' | 'manager';

export function registerJoinToken(swarm: Command, context: Context): void {
  swarm
    .command('join-token')
    .description('Show or rotate a join token')
    .argument('<role>', 'worker or manager')
    .option('-q, --quiet', 'Only print the token')
    .option('--rotate', 'Make a new token; the old one stops working at once')
    .addHelpText('after', '\nExamples:\n  bale swarm join-token worker\n  bale swarm join-token --rotate -q manager')
    .action(async (role: string, flags: { quiet?: boolean; rotate?: boolean }) => joinToken(context, role, flags));
}

async function joinToken(context: Context, text: string, flags: { quiet?: boolean; rotate?: boolean }): Promise<void> {
  const role = parseRole(text);
  const client = await context.connect();
  if (flags.rotate === true) {
    const swarm = await client.get<SwarmDocument>('/swarm');
    await client.post('/swarm/update', swarm.Spec, {
      version: swarm.Version.Index,
      rotateWorkerToken: role === 'worker',
      rotateManagerToken: role === 'manager',
      rotateManagerUnlockKey: false,
    });
    if (flags.quiet !== true) context.print(`Successfully rotated ${role} join token.\n\n`);
  }
  if (flags.quiet === true) context.print(`${tokenOf(await client.get<SwarmDocument>('/swarm'), role)}\n`);
  else await printJoinCommand(context, role);
}

export async function printJoinCommand(context: Context, role: Role): Promise<void> {
  const client = await context.connect();
  const swarm = await client.get<SwarmDocument>('/swarm');
  const { Swarm } = await client.get<{ Swarm: SwarmInfo }>('/info');
  const node = await client.get<NodeDocument>(`/nodes/${Swarm.NodeID}`);
  const address = node.ManagerStatus?.Addr ?? '';
  context.print(
    `To add a ${role} to this swarm, run the following command:\n\n    bale swarm join --token ${tokenOf(swarm, role)} ${address}\n\n`,
  );
}

function tokenOf({ JoinTokens }: SwarmDocument, role: Role): string {
  if (JoinTokens !== undefined) return role === 'worker' ? JoinTokens.Worker : JoinTokens.Manager;
  throw new BaleError('the daemon shows join tokens to admins alone; ask one, or run this on the manager', {
    kind: 'forbidden',
    code: 'BALE_CLIENT_ROLE_FORBIDDEN',
  });
}

function parseRole(text: string): Role {
  if (text === 'worker' || text === 'manager') return text;
  throw new BaleError(`unknown role "${text}": the roles are worker and manager`, {
    kind: 'invalid',
    code: 'BALE_ROLE_INVALID',
  });
}
