import type { Command } from 'commander';
import type { NodeDocument } from '../proto/engine/node-document.js';
import type { SwarmDocument, SwarmInfo, SwarmSpec } from '../proto/engine/swarm-document.js';
import { parseDuration } from '../proto/engine/duration.js';
import { BaleError } from '../core/errors.js';
import type { Context } from './context.js';
import { parseCount } from './flags/quantity.js';

interface InitFlags {
  readonly advertiseAddr?: string;
  readonly listenAddr?: string;
  readonly availability?: string;
  readonly certExpiry?: string;
  readonly dispatcherHeartbeat?: string;
  readonly taskHistoryLimit?: string;
}

interface JoinFlags {
  readonly token: string;
  readonly advertiseAddr?: string;
  readonly listenAddr?: string;
  readonly availability?: string;
}

type Role = 'worker' | 'manager';

export function registerSwarm(program: Command, context: Context): void {
  const swarm = program.command('swarm').description('Manage the cluster');

  swarm
    .command('init')
    .description('Initialize a cluster with this node as its manager')
    .option('--advertise-addr <address>', 'Address that the other nodes reach this one at (HOST[:PORT])')
    .option('--listen-addr <address>', "Listen address of the cluster port (default: the daemon's --listen-addr)")
    .option('--availability <availability>', 'Availability of the node ("active", "pause", "drain")', 'active')
    .option('--cert-expiry <duration>', 'Validity of node certificates', '2160h')
    .option('--dispatcher-heartbeat <duration>', "Heartbeat period (default: bale's own)")
    .option('--task-history-limit <number>', 'Tasks kept of each slot, the present one included', '5')
    .addHelpText('after', '\nExample:\n  bale swarm init --advertise-addr 192.168.1.10')
    .action(async (flags: InitFlags) => init(context, flags));

  swarm
    .command('join')
    .description('Join a cluster as a node')
    .argument('<host:port>', 'Address of a manager')
    .requiredOption('--token <token>', 'Join token, as `bale swarm join-token worker` prints it')
    .option('--advertise-addr <address>', 'Address that the other nodes reach this one at (HOST[:PORT])')
    .option('--listen-addr <address>', "Listen address of the cluster port (default: the daemon's --listen-addr)")
    .option('--availability <availability>', 'Availability of the node ("active", "pause", "drain")', 'active')
    .addHelpText('after', '\nExample:\n  bale swarm join --token SWMTKN-1-… 192.168.1.10:2377')
    .action(async (remote: string, flags: JoinFlags) => join(context, remote, flags));

  swarm
    .command('join-token')
    .description('Show or rotate a join token')
    .argument('<role>', 'worker or manager')
    .option('-q, --quiet', 'Only print the token')
    .option('--rotate', 'Make a new token; the old one stops working at once')
    .action(async (role: string, flags: { quiet?: boolean; rotate?: boolean }) => joinToken(context, role, flags));

  swarm
    .command('leave')
    .description('Leave the cluster')
    .option('-f, --force', 'Leave even if this node is the manager: the cluster ends with it')
    .action(async ({ force }: { force?: boolean }) => {
      const client = await context.connect();
      await client.post('/swarm/leave', undefined, { force: force === true ? 1 : undefined });
      context.print('Node left the swarm.\n');
    });
}

async function init(context: Context, flags: InitFlags): Promise<void> {
  const client = await context.connect();
  const Spec: Partial<SwarmSpec> = {
    Orchestration: { TaskHistoryRetentionLimit: parseCount('--task-history-limit', flags.taskHistoryLimit ?? '5', -1) },
    Dispatcher: {
      ...(flags.dispatcherHeartbeat === undefined
        ? {}
        : { HeartbeatPeriod: parseDuration(flags.dispatcherHeartbeat, '--dispatcher-heartbeat') }),
    },
    CAConfig: { NodeCertExpiry: parseDuration(flags.certExpiry ?? '2160h', '--cert-expiry') },
  };
  const id = await client.post<string>('/swarm/init', {
    ListenAddr: flags.listenAddr ?? '',
    AdvertiseAddr: flags.advertiseAddr ?? '',
    Availability: flags.availability ?? 'active',
    ForceNewCluster: false,
    AutoLockManagers: false,
    Spec,
  });
  context.print(`Swarm initialized: current node (${id}) is now a manager.\n\n`);
  await printJoinCommand(context, 'worker');
  context.print("To add a manager to this swarm, run 'bale swarm join-token manager' and follow the instructions.\n\n");
}

async function join(context: Context, remote: string, flags: JoinFlags): Promise<void> {
  const client = await context.connect();
  await client.post('/swarm/join', {
    RemoteAddrs: [remote],
    JoinToken: flags.token,
    ListenAddr: flags.listenAddr ?? '',
    AdvertiseAddr: flags.advertiseAddr ?? '',
    Availability: flags.availability ?? 'active',
  });
  const { Swarm } = await client.get<{ Swarm: SwarmInfo }>('/info');
  context.print(`This node joined a swarm as a ${Swarm.ControlAvailable ? 'manager' : 'worker'}.\n`);
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

async function printJoinCommand(context: Context, role: Role): Promise<void> {
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
