import type { Command } from 'commander';
import type { SwarmInfo } from '../proto/engine/swarm-document.js';
import type { Context } from './context.js';
import { collect } from './flags/filter.js';
import { parseCount } from './flags/quantity.js';
import { EMPTY_SPEC, patchSwarm, type SwarmFlags } from './flags/swarm-spec.js';
import { printUnlockCommand, registerSwarmKey } from './swarm-key.js';
import { printJoinCommand, registerJoinToken } from './swarm-token.js';
import { addSwarmOptions, registerSwarmUpdate } from './swarm-update.js';

interface AddressFlags {
  readonly advertiseAddr?: string;
  readonly listenAddr?: string;
  readonly dataPathAddr?: string;
  readonly availability: string;
}

interface InitFlags extends AddressFlags, SwarmFlags {
  readonly dataPathPort?: string;
  readonly defaultAddrPool?: readonly string[];
  readonly defaultAddrPoolMaskLength?: string;
  readonly forceNewCluster?: boolean;
}

interface JoinFlags extends AddressFlags {
  readonly token: string;
}

export function registerSwarm(program: Command, context: Context): void {
  const swarm = program.command('swarm').description('Manage the cluster');

  const initialise = swarm.command('init').description('Initialize a cluster with this node as its manager');
  addAddressOptions(initialise);
  addSwarmOptions(initialise.optionsGroup('Cluster:'))
    .optionsGroup('What only docker has (refused by name, but for its default):')
    .option('--data-path-port <port>', 'Port of overlay traffic')
    .option('--default-addr-pool <network>', 'Addresses of overlay networks', collect)
    .option('--default-addr-pool-mask-length <number>', 'Length of the mask of their subnets')
    .option('--force-new-cluster', 'Make a cluster of this manager alone')
    .addHelpText(
      'after',
      '\nExamples:\n  bale swarm init --advertise-addr 192.168.1.10\n  bale swarm init --cert-expiry 720h --task-history-limit 2',
    )
    .action(async (flags: InitFlags) => init(context, flags));

  const join = swarm
    .command('join')
    .description('Join a cluster as a node')
    .argument('<host:port>', 'Address of a manager')
    .requiredOption('--token <token>', 'Join token, as `bale swarm join-token worker` prints it');
  addAddressOptions(join)
    .addHelpText('after', '\nExample:\n  bale swarm join --token SWMTKN-1-… 192.168.1.10:2377')
    .action(async (remote: string, flags: JoinFlags) => joinCluster(context, remote, flags));

  registerJoinToken(swarm, context);
  registerSwarmUpdate(swarm, context);
  registerSwarmKey(swarm, context);

  swarm
    .command('leave')
    .description('Leave the cluster')
    .option('-f, --force', 'Leave even if this node is the manager: the cluster ends with it')
    .addHelpText('after', '\nExamples:\n  bale swarm leave\n  bale swarm leave --force')
    .action(async ({ force }: { force?: boolean }) => {
      const client = await context.connect();
      await client.post('/swarm/leave', undefined, { force: force === true ? 1 : undefined });
      context.print('Node left the swarm.\n');
    });
}

const addAddressOptions = (command: Command): Command =>
  command
    .option('--advertise-addr <address>', 'Address that the other nodes reach this one at (HOST[:PORT])')
    .option('--listen-addr <address>', "Listen address of the cluster port (default: the daemon's --listen-addr)")
    .option('--data-path-addr <address>', "Address of routed traffic (the daemon's --mesh-addr sets it; refused)")
    .option('--availability <availability>', 'Availability of the node ("active", "pause", "drain")', 'active');

async function init(context: Context, flags: InitFlags): Promise<void> {
  const client = await context.connect();
  const pool = flags.defaultAddrPool;
  const id = await client.post<string>('/swarm/init', {
    ...addresses(flags),
    DataPathPort: optionalCount('--data-path-port', flags.dataPathPort),
    ...(pool === undefined ? {} : { DefaultAddrPool: pool }),
    SubnetSize: optionalCount('--default-addr-pool-mask-length', flags.defaultAddrPoolMaskLength),
    ForceNewCluster: flags.forceNewCluster === true,
    AutoLockManagers: flags.autolock ?? false,
    Spec: patchSwarm(EMPTY_SPEC, { certExpiry: '2160h', taskHistoryLimit: '5', ...flags }),
  });
  context.print(`Swarm initialized: current node (${id}) is now a manager.\n\n`);
  await printJoinCommand(context, 'worker');
  context.print("To add a manager to this swarm, run 'bale swarm join-token manager' and follow the instructions.\n\n");
  if (flags.autolock === true) await printUnlockCommand(context);
}

const optionalCount = (flag: string, text: string | undefined): number | undefined =>
  text === undefined ? undefined : parseCount(flag, text);

const addresses = (flags: AddressFlags): object => ({
  ListenAddr: flags.listenAddr ?? '',
  AdvertiseAddr: flags.advertiseAddr ?? '',
  DataPathAddr: flags.dataPathAddr ?? '',
  Availability: flags.availability,
});

async function joinCluster(context: Context, remote: string, flags: JoinFlags): Promise<void> {
  const client = await context.connect();
  await client.post('/swarm/join', {
    RemoteAddrs: [remote],
    JoinToken: flags.token,
    ...addresses(flags),
  });
  const { Swarm } = await client.get<{ Swarm: SwarmInfo }>('/info');
  context.print(`This node joined a swarm as a ${Swarm.ControlAvailable ? 'manager' : 'worker'}.\n`);
}
