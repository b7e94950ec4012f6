import type { Command } from 'commander';
import { errorMessage } from '../core/errors.js';
import type { SwarmDocument, SwarmSpec } from '../proto/engine/swarm-document.js';
import type { Context } from './context.js';
import { collect } from './flags/filter.js';
import { parseAutolock, patchSwarm, type SwarmFlags } from './flags/swarm-spec.js';
import { usageError } from './flags/usage-error.js';
import { printUnlockCommand } from './swarm-key.js';

interface CaFlags extends Pick<SwarmFlags, 'certExpiry' | 'externalCa'> {
  readonly rotate?: boolean;
  readonly caCert?: string;
  readonly caKey?: string;
}

/** `swarm update` and `swarm ca`. */
export function registerSwarmUpdate(swarm: Command, context: Context): void {
  const update = swarm.command('update').description('Change settings of the cluster');
  addSwarmOptions(update)
    .addHelpText(
      'after',
      '\nWhat is not named stays as it is. A new validity counts from the next renewal of each certificate on.\n\nExamples:\n  bale swarm update --task-history-limit 2\n  bale swarm update --cert-expiry 720h --dispatcher-heartbeat 2s',
    )
    .action(async (flags: SwarmFlags) => {
      if (Object.keys(flags).length === 0) update.outputHelp();
      else await updateSwarm(context, flags);
    });

  swarm
    .command('ca')
    .description('Show the root certificate of the cluster')
    .option('--rotate', 'Make a new root (not implemented in this version)')
    .option('--ca-cert <file>', 'PEM file of the new root, with --rotate')
    .option('--ca-key <file>', 'PEM file of its key, with --rotate')
    .option('--cert-expiry <duration>', 'Validity of node certificates, with --rotate')
    .option('--external-ca <ca>', 'Where certificates are signed, with --rotate', collect)
    .addHelpText('after', '\nExample:\n  bale swarm ca > cluster-root.pem')
    .action(async (flags: CaFlags) => showOrRotate(context, flags));
}

/** The flags of SwarmFlags, for the commands that take them. */
export const addSwarmOptions = (command: Command): Command =>
  command
    .option('--autolock [boolean]', 'Lock managers at each start, until they are given a key (refused)', parseAutolock)
    .option('--cert-expiry <duration>', 'Validity of node certificates (default: 2160h)')
    .option('--dispatcher-heartbeat <duration>', "Heartbeat period (default: bale's own)")
    .option('--external-ca <ca>', 'Where certificates are signed (refused)', collect)
    .option('--max-snapshots <number>', 'Snapshots of Raft to keep (refused, but for the default)')
    .option('--snapshot-interval <number>', 'Log entries between snapshots of Raft (refused, but for the default)')
    .option('--task-history-limit <number>', 'Tasks kept of each slot, the present one included (default: 5)');

async function updateSwarm(context: Context, flags: SwarmFlags): Promise<void> {
  const client = await context.connect();
  const { Spec, Version } = await client.get<SwarmDocument>('/swarm');
  const before = Spec.EncryptionConfig.AutoLockManagers;
  const AutoLockManagers = flags.autolock ?? before;
  await sendSpec(context, { ...patchSwarm(Spec, flags), EncryptionConfig: { AutoLockManagers } }, Version.Index);
  context.print('Swarm updated.\n');
  if (AutoLockManagers && !before) await printUnlockCommand(context);
}

async function sendSpec(context: Context, spec: SwarmSpec, version: number): Promise<void> {
  const client = await context.connect();
  const rotate = { rotateWorkerToken: false, rotateManagerToken: false, rotateManagerUnlockKey: false };
  await client.post('/swarm/update', spec, { version, ...rotate });
}

async function showOrRotate(context: Context, { rotate, caCert, caKey, ...flags }: CaFlags): Promise<void> {
  const client = await context.connect();
  const { Spec, Version, TLSInfo } = await client.get<SwarmDocument>('/swarm');
  if (rotate !== true) {
    const given = { '--ca-cert': caCert, '--ca-key': caKey, '--cert-expiry': flags.certExpiry };
    for (const [flag, value] of [...Object.entries(given), ['--external-ca', flags.externalCa?.join(' ')] as const]) {
      if (value !== undefined) throw usageError(flag, value, 'it needs --rotate');
    }
    context.print(TLSInfo.TrustRoot);
    return;
  }
  const patched = patchSwarm(Spec, flags);
  const CAConfig = {
    ...patched.CAConfig,
    ...(caCert === undefined ? {} : { SigningCACert: await readPem('--ca-cert', caCert) }),
    ...(caKey === undefined ? {} : { SigningCAKey: await readPem('--ca-key', caKey) }),
    ForceRotate: (Spec.CAConfig.ForceRotate ?? 0) + 1,
  };
  await sendSpec(context, { ...patched, CAConfig }, Version.Index);
  context.print((await client.get<SwarmDocument>('/swarm')).TLSInfo.TrustRoot);
}

async function readPem(flag: string, file: string): Promise<string> {
  try {
    const { readFile } = await import('node:fs/promises');
    return await readFile(file, 'utf8');
  } catch (error) {
    throw usageError(flag, file, errorMessage(error));
  }
}
