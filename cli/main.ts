import { Command, CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { DEFAULT_HOST, FailedOperands, type Context } from './context.js';
import { spellSwitches } from './flags/switches.js';
import { registerInfo } from './info.js';
import { registerNode } from './node.js';
import { registerService } from './service.js';
import { registerSwarm } from './swarm.js';
import { registerVersion } from './version.js';
import type { ApiClient } from './client.js';

/** Where a command writes. */
export type Output = Pick<Context, 'print' | 'warn'>;

const PROCESS_OUTPUT: Output = {
  print: (text) => void process.stdout.write(text),
  warn: (text) => void process.stderr.write(text),
};

/** Runs one command; resolves with the exit code. */
export async function runCli(argv: readonly string[], output: Output = PROCESS_OUTPUT): Promise<number> {
  const interrupted = new AbortController();
  const interrupt = (): void => {
    interrupted.abort();
  };
  // A second one ends at once, as the default does.
  process.once('SIGINT', interrupt);
  const program = new Command('bale');
  const context = makeContext(program, interrupted.signal, output);
  program
    .description('A lightweight swarm: Docker Engines as one cluster')
    .option('-H, --host <host>', 'Socket of the daemon to talk to (or BALE_HOST)')
    .version(packageVersion(), '-v, --version', 'Show the version')
    .enablePositionalOptions()
    .showHelpAfterError("See 'bale --help', or '--help' of the command.")
    .exitOverride();
  program.command('daemon').description('Run the daemon of this node').helpOption(false).allowUnknownOption();
  registerSwarm(program, context);
  registerNode(program, context);
  registerService(program, context);
  registerInfo(program, context);
  registerVersion(program, context, packageVersion());
  try {
    await program.parseAsync(spellSwitches(argv), { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    if (error instanceof FailedOperands) return 1;
    context.warn(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function makeContext(program: Command, signal: AbortSignal, output: Output): Context {
  let client: Promise<ApiClient> | undefined;
  const open = async (): Promise<ApiClient> => {
    const { ApiClient } = await import('./client.js');
    const { host } = program.opts<{ host?: string }>();
    return new ApiClient(host ?? process.env.BALE_HOST ?? DEFAULT_HOST);
  };
  return {
    connect: () => (client ??= open()),
    ...output,
    env: process.env,
    terminal: process.stdout.isTTY ? { columns: process.stdout.columns } : undefined,
    signal,
  };
}

/** From package.json: two folders up both from the sources' folder and, compiled, from dist's. */
function packageVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }; // our own file
      return version;
    } catch {
      continue;
    }
  }
  return 'unknown';
}
