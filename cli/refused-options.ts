import { Option, type Command } from 'commander';
import { BaleError } from '../core/errors.js';
import { usageError } from './flags/usage-error.js';

const NO_NETWORKS = "bale attaches tasks to the Engine's own bridge and routes published ports; leave it out";

/** docker's flags for what a service of bale cannot have, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  '--network <network>': NO_NETWORKS,
  '--network-add <network>': NO_NETWORKS,
  '--network-rm <network>': NO_NETWORKS,
  '--credential-spec <spec>': 'it is for containers of Windows',
};

/** Flags that are known, and refused by name. No help shows them. */
export function addRefusedOptions(command: Command, names: readonly string[]): Command {
  for (const [flag, reason] of Object.entries(REFUSED)) {
    const name = flag.slice(0, flag.indexOf(' '));
    if (!names.includes(name)) continue;
    const refuse = (): never => {
      throw new BaleError(`${name} is not implemented: ${reason}`, {
        kind: 'unimplemented',
        code: 'BALE_NOT_IMPLEMENTED',
      });
    };
    command.addOption(new Option(flag).argParser(refuse).hideHelp());
  }
  return command.addOption(new Option('--endpoint-mode <mode>').argParser(endpointMode).hideHelp());
}

/** Services have published ports and no addresses of their own, which is as near to docker's default as it gets. */
function endpointMode(mode: string): string {
  if (mode === 'vip') return mode;
  throw usageError('--endpoint-mode', mode, 'there is "vip" alone: services have no DNS names in this version');
}
