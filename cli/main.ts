import type { Command } from 'commander';
import { COMPLETE } from './completion.js';
import { registerNouns } from './commands.js';
import { CommandEnded, FailedOperands, type Context } from './context.js';
import { spellSwitches } from './flags/switches.js';
import { BaleCommand } from './help/bale-command.js';
import { exitCodeOf } from './help/exit-code.js';
import { groupCommands, layOutHelp } from './help/layout.js';
import { namedCommand } from './named-command.js';
import { programVersion } from './program-version.js';
import type { ApiClient } from './client.js';
import type { TlsFlags } from './daemon-host.js';

/** Where a command writes. */
export type Output = Pick<Context, 'print' | 'warn' | 'terminal'> & Partial<Pick<Context, 'copy' | 'streams'>>;

/** All commands, flags and examples, as commander knows them; only those of `name` where that is one of them. */
export function registerCommands(program: Command, context: Context, output: Output, name?: string): void {
  layOutHelp(program, output, () => everyNoun(context, output));
  program
    .description('A lightweight swarm: Docker Engines as one cluster')
    .option(
      '-H, --host <host>',
      'Daemon to talk to: unix:///PATH, or tcp://HOST:2376 (or BALE_HOST, or tcp:// of DOCKER_HOST)',
    )
    .option('--tlscacert <file>', 'CA of the daemon, for tcp:// (default: ca.pem in DOCKER_CERT_PATH)')
    .option('--tlscert <file>', 'Client certificate, for tcp:// (default: cert.pem in DOCKER_CERT_PATH)')
    .option('--tlskey <file>', 'Its key (default: key.pem in DOCKER_CERT_PATH)')
    .version(programVersion(), '-v, --version', 'Show the version')
    .enablePositionalOptions()
    .exitOverride();
  registerNouns(program, context, name);
  groupCommands(program);
  pointToHelp(program, 'bale');
}

/** Nouns with their verbs, for who took the wrong one. */
function everyNoun(context: Context, output: Output): readonly Command[] {
  const program = new BaleCommand('bale');
  registerCommands(program, context, output);
  return program.commands;
}

/** Runs one command; resolves with the exit code. Writes to this process's streams unless told otherwise. */
export async function runCli(argv: readonly string[], output: Output = processOutput()): Promise<number> {
  const program = new BaleCommand('bale');
  const interrupt = new Interrupt();
  const context = makeContext(program, output, interrupt);
  registerCommands(program, context, output, namedCommand(argv));
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
    const { openClient } = await import('./open-client.js');
    return openClient(program.opts<TlsFlags & { host?: string }>(), process.env);
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
