import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { registerAttach } from './attach.js';
import { registerClientCert } from './client-cert.js';
import { COMPLETE, registerCompletion } from './completion.js';
import { CommandEnded, DEFAULT_HOST, FailedOperands, type Context } from './context.js';
import { registerCopy } from './cp.js';
import { registerExec } from './exec.js';
import { spellSwitches } from './flags/switches.js';
import { registerEvents } from './events.js';
import { BaleCommand } from './help/bale-command.js';
import { exitCodeOf } from './help/exit-code.js';
import { registerHelp } from './help/help-command.js';
import { groupCommands, layOutHelp } from './help/layout.js';
import { registerInfo } from './info.js';
import { registerNode } from './node.js';
import { registerSecrets } from './secret.js';
import { registerService } from './service.js';
import { registerStats } from './stats.js';
import { registerSwarm } from './swarm.js';
import { registerTask } from './task.js';
import { registerTop } from './top.js';
import { registerVersion } from './version.js';
import type { ApiClient } from './client.js';
import type { TlsFlags } from './daemon-host.js';

/** Where a command writes. */
export type Output = Pick<Context, 'print' | 'warn' | 'terminal'> & Partial<Pick<Context, 'copy' | 'streams'>>;

/** All commands, flags and examples, as commander knows them. */
export function registerCommands(program: Command, context: Context, output: Output): void {
  layOutHelp(program, output);
  program
    .description('A lightweight swarm: Docker Engines as one cluster')
    .option(
      '-H, --host <host>',
      'Daemon to talk to: unix:///PATH, or tcp://HOST:2376 (or BALE_HOST, or tcp:// of DOCKER_HOST)',
    )
    .option('--tlscacert <file>', 'CA of the daemon, for tcp:// (default: ca.pem in DOCKER_CERT_PATH)')
    .option('--tlscert <file>', 'Client certificate, for tcp:// (default: cert.pem in DOCKER_CERT_PATH)')
    .option('--tlskey <file>', 'Its key (default: key.pem in DOCKER_CERT_PATH)')
    .version(packageVersion(), '-v, --version', 'Show the version')
    .enablePositionalOptions()
    .exitOverride();
  program
    .command('daemon')
    .description('Run the daemon of this node; `bale daemon --help` lists its options')
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText('after', '\nExample:\n  bale daemon --data-dir /var/lib/bale');
  registerSwarm(program, context);
  registerNode(program, context);
  registerService(program, context);
  registerTask(program, context);
  registerSecrets(program, context);
  registerExec(program, context);
  registerAttach(program, context);
  registerCopy(program, context);
  registerTop(program, context);
  registerStats(program, context);
  registerClientCert(program, context);
  registerEvents(program, context);
  registerInfo(program, context);
  registerVersion(program, context, packageVersion());
  registerCompletion(program, context);
  registerHelp(program);
  groupCommands(program);
  pointToHelp(program, 'bale');
}

/** Runs one command; resolves with the exit code. Writes to this process's streams unless told otherwise. */
export async function runCli(argv: readonly string[], output: Output = processOutput()): Promise<number> {
  const program = new BaleCommand('bale');
  const interrupt = new Interrupt();
  const context = makeContext(program, output, interrupt);
  registerCommands(program, context, output);
  try {
    // What is to be completed is not ours to rewrite.
    await program.parseAsync(argv[0] === COMPLETE ? argv : spellSwitches(argv), { from: 'user' });
    return 0;
  } catch (error) {
    const exitCode = exitCodeOf(error);
    if (exitCode !== undefined) return exitCode;
    if (error instanceof FailedOperands) return 1;
    if (error instanceof CommandEnded) return error.exitCode;
    context.warn(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    interrupt.forget();
  }
}

function processOutput(): Output {
  return {
    print: (text) => void process.stdout.write(text),
    warn: (text) => void process.stderr.write(text),
    copy: (bytes, to) => void process[to].write(bytes),
    // A terminal that does not tell its size says 0.
    terminal: process.stdout.isTTY
      ? { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }
      : undefined,
  };
}

function makeContext(program: Command, output: Output, interrupt: Interrupt): Context {
  let client: Promise<ApiClient> | undefined;
  const open = async (): Promise<ApiClient> => {
    const { ApiClient } = await import('./client.js');
    const { chooseHost, readTlsFiles } = await import('./daemon-host.js');
    const { host, ...files } = program.opts<{ host?: string } & TlsFlags>();
    return new ApiClient(chooseHost(host, process.env, DEFAULT_HOST), () => readTlsFiles(files, process.env));
  };
  return {
    copy: (bytes, to) => {
      const text = Buffer.from(bytes).toString();
      if (to === 'stdout') output.print(text);
      else output.warn(text);
    },
    streams: () => ({ input: process.stdin, output: process.stdout, error: process.stderr }),
    ...output,
    connect: () => (client ??= open()),
    env: process.env,
    get signal() {
      return interrupt.signal;
    },
  };
}

/** After an error of usage each command names its own help. */
function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(`See '${path} --help'.`);
  for (const child of command.commands) pointToHelp(child, `${path} ${child.name()}`);
}

/** Aborts on the first Ctrl-C; a second one ends the program. */
class Interrupt {
  readonly #controller = new AbortController();
  #listens = false;
  readonly #abort = (): void => {
    this.#controller.abort();
  };

  /** Before a command first asks for it, Ctrl-C ends the program, as it does by default. */
  get signal(): AbortSignal {
    if (!this.#listens) process.once('SIGINT', this.#abort);
    this.#listens = true;
    return this.#controller.signal;
  }

  forget(): void {
    process.off('SIGINT', this.#abort);
  }
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
