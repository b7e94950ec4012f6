import { BaleError } from '../../core/errors.js';
import type { ApiClient } from '../client.js';
import { CommandEnded, type Context } from '../context.js';
import { parseEnvironment } from '../flags/labels.js';
import { containerNamed } from './find-tasks.js';
import { runSession } from './session.js';
import { sizeOf } from './terminal.js';

export interface ExecFlags {
  readonly detach?: boolean;
  readonly detachKeys?: string;
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
  readonly interactive?: boolean;
  readonly privileged?: boolean;
  readonly tty?: boolean;
  readonly user?: string;
  readonly workdir?: string;
}

/** Throws CommandEnded with the exit code of the command unless that is 0. */
export async function runExec(
  context: Context,
  operand: string,
  command: readonly string[],
  flags: ExecFlags,
): Promise<void> {
  const { detach = false, tty = false, interactive = false } = flags;
  const streams = context.streams();
  if (tty && interactive && !detach && streams.input.isTTY !== true) throw noTerminal();
  const client = await context.connect();
  const container = await containerNamed(client, operand);
  const size = tty ? sizeOf(streams.output) : undefined;
  const consoleSize = size === undefined ? {} : { ConsoleSize: [size.rows, size.columns] };
  const { Id: id } = await client.post<{ Id: string }>(`/containers/${container}/exec`, {
    ...{ AttachStdin: interactive && !detach, AttachStdout: !detach, AttachStderr: !detach, Tty: tty },
    ...{ Cmd: command, Detach: detach, Privileged: flags.privileged ?? false, ...consoleSize },
    ...{ User: flags.user ?? '', WorkingDir: flags.workdir ?? '', DetachKeys: flags.detachKeys ?? '' },
    Env: await parseEnvironment(flags.env ?? [], flags.envFile ?? [], context.env),
  });
  const start = { Detach: detach, Tty: tty, ...consoleSize };
  if (detach) {
    await client.post(`/exec/${id}/start`, start);
    return;
  }
  const connection = await client.hijack(`/exec/${id}/start`, {}, start);
  await runSession(connection, streams, {
    tty,
    input: interactive,
    resize: ({ rows, columns }) => client.post(`/exec/${id}/resize`, undefined, { h: rows, w: columns }),
  });
  const exitCode = await exitCodeOf(client, id);
  if (exitCode !== 0) throw new CommandEnded(exitCode);
}

/** A command from which the client detached still runs, and has none. */
async function exitCodeOf(client: ApiClient, id: string): Promise<number> {
  const { ExitCode, Running } = await client.get<{ ExitCode: number | null; Running: boolean }>(`/exec/${id}/json`);
  return Running ? 0 : (ExitCode ?? 0);
}

const noTerminal = (): BaleError =>
  new BaleError('the input device is not a TTY', { kind: 'invalid', code: 'BALE_NO_TERMINAL' });
