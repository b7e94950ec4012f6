import type { Command } from 'commander';
import { BaleError } from '../core/errors.js';
import type { SwarmDocument, SwarmInfo } from '../proto/engine/swarm-document.js';
import type { Context } from './context.js';

/** `swarm unlock` and `swarm unlock-key`. */
export function registerSwarmKey(swarm: Command, context: Context): void {
  swarm
    .command('unlock')
    .description('Unlock a locked manager with the key that standard input gives')
    .addHelpText('after', '\nExamples:\n  bale swarm unlock\n  bale swarm unlock < unlock.key')
    .action(async () => unlock(context));

  swarm
    .command('unlock-key')
    .description('Show or rotate the key that unlocks managers')
    .option('-q, --quiet', 'Only print the key')
    .option('--rotate', 'Make a new key')
    .addHelpText('after', '\nExamples:\n  bale swarm unlock-key -q\n  bale swarm unlock-key --rotate')
    .action(async (flags: { quiet?: boolean; rotate?: boolean }) => unlockKey(context, flags));
}

/** The key never stands on a command line, which others could see. */
async function unlock(context: Context): Promise<void> {
  const client = await context.connect();
  const { Swarm } = await client.get<{ Swarm: SwarmInfo }>('/info');
  switch (Swarm.LocalNodeState) {
    case 'inactive':
      throw wrongState('This node is not part of a swarm');
    case 'locked':
      break;
    case 'pending':
    case 'active':
    case 'error':
      throw wrongState('swarm is not locked');
  }
  if (process.stdin.isTTY) context.warn('Enter unlock key, then Ctrl-D: ');
  const { text } = await import('node:stream/consumers');
  await client.post('/swarm/unlock', { UnlockKey: (await text(process.stdin)).trim() });
}

async function unlockKey(context: Context, flags: { quiet?: boolean; rotate?: boolean }): Promise<void> {
  const client = await context.connect();
  if (flags.rotate === true) {
    const swarm = await client.get<SwarmDocument>('/swarm');
    if (!swarm.Spec.EncryptionConfig.AutoLockManagers) {
      throw wrongState('cannot rotate because autolock is not turned on');
    }
    await client.post('/swarm/update', swarm.Spec, {
      version: swarm.Version.Index,
      ...{ rotateWorkerToken: false, rotateManagerToken: false, rotateManagerUnlockKey: true },
    });
    if (flags.quiet !== true) context.print('Successfully rotated manager unlock key.\n\n');
  }
  const { UnlockKey } = await client.get<{ UnlockKey: string }>('/swarm/unlockkey');
  if (UnlockKey === '') throw wrongState('no unlock key is set');
  if (flags.quiet === true) context.print(`${UnlockKey}\n`);
  else printKey(context, UnlockKey);
}

/** For those who have just locked the cluster. */
export async function printUnlockCommand(context: Context): Promise<void> {
  const client = await context.connect();
  const { UnlockKey } = await client.get<{ UnlockKey: string }>('/swarm/unlockkey');
  printKey(context, UnlockKey);
}

const printKey = (context: Context, key: string): void =>
  context.print(
    `To unlock a swarm manager after it restarts, run the \`bale swarm unlock\`\ncommand and provide the following key:\n\n    ${key}\n\nRemember to store this key in a password manager, since without it you\nwill not be able to restart the manager.\n`,
  );

const wrongState = (message: string): BaleError =>
  new BaleError(message, { kind: 'failed-precondition', code: 'BALE_LOCK_STATE' });
