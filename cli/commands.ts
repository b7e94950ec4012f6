import type { Command } from 'commander';
import { registerAttach } from './attach.js';
import { registerClientCert } from './client-cert.js';
import { registerComplete, registerCompletion } from './completion.js';
import type { Context } from './context.js';
import { registerCopy } from './cp.js';
import { registerExec } from './exec.js';
import { registerEvents } from './events.js';
import { registerHelp } from './help/help-command.js';
import { registerInfo } from './info.js';
import { registerNode } from './node.js';
import { registerSecrets } from './secret.js';
import { registerService } from './service.js';
import { registerStats } from './stats.js';
import { registerSwarm } from './swarm.js';
import { registerTask } from './task.js';
import { registerTop } from './top.js';
import { registerVersion } from './version.js';

type Register = (program: Command, context: Context) => void;

/** What each command, or pair of them, is registered by, in the order of `bale --help`. */
const REGISTERED_BY: readonly (readonly [names: readonly string[], register: Register])[] = [
  [['daemon'], registerDaemon],
  [['swarm'], registerSwarm],
  [['node'], registerNode],
  [['service'], registerService],
  [['task'], registerTask],
  [['secret', 'config'], registerSecrets],
  [['exec'], registerExec],
  [['attach'], registerAttach],
  [['cp'], registerCopy],
  [['top'], registerTop],
  [['stats'], registerStats],
  [['client-cert'], registerClientCert],
  [['events'], registerEvents],
  [['info'], registerInfo],
  [['version'], registerVersion],
  [['completion'], registerCompletion],
  [['help'], registerHelp],
];

/** `bale help service` looks at other commands. */
const ABOUT_ALL = 'help';

/**
 * Registers the commands of one name alone, where it is one of ours: a command line needs no others,
 * and to register them all takes longer than a request to the daemon.
 */
export function registerNouns(program: Command, context: Context, name?: string): void {
  const asked = name === undefined || name === ABOUT_ALL ? [] : REGISTERED_BY.filter(([names]) => names.includes(name));
  for (const [, register] of asked.length > 0 ? asked : REGISTERED_BY) register(program, context);
  registerComplete(program, context);
}

function registerDaemon(program: Command): void {
  program
    .command('daemon')
    .description('Run the daemon of this node; `bale daemon --help` lists its options')
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText('after', '\nExample:\n  bale daemon --data-dir /var/lib/bale');
}
