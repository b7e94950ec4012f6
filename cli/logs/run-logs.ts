import type { Readable } from 'node:stream';
import { BaleError, errorMessage, isBaleError } from '../../core/errors.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import type { ApiClient } from '../client.js';
import type { Context } from '../context.js';
import type { LogFlags } from '../service-logs.js';
import { framesOf } from './frames.js';
import { readLine, showLine } from './log-line.js';
import { readSince } from './since.js';
import { TaskNames } from './task-names.js';

/** What logs are asked of. */
interface Target {
  readonly path: string;
  readonly tty: boolean;
  readonly digits: number;
}

/** `service logs` and `task logs`, with docker's output. */
export async function runLogs(context: Context, target: string, flags: LogFlags): Promise<void> {
  const client = await context.connect();
  const { path, tty, digits } = await find(client, target);
  const raw = flags.raw === true;
  if (tty && !raw) throw usage('tty service logs only supported with --raw');
  const answer = await client.stream(path, {
    stdout: 1,
    stderr: 1,
    tail: flags.tail,
    follow: flags.follow === true ? 1 : undefined,
    timestamps: flags.timestamps === true ? 1 : undefined,
    // Without it nobody could say whose line it is.
    details: flags.details === true || !raw ? 1 : undefined,
    since: flags.since === undefined ? undefined : readSince(flags.since, Date.now()),
  });
  if (tty) {
    for await (const chunk of bytesOf(answer)) context.copy(chunk, 'stdout');
    return;
  }
  const { resolve, taskIds, trunc, timestamps = false, details = false } = flags;
  const names = new TaskNames(client, { resolve, taskIds, trunc, digits });
  const show = async (payload: Buffer): Promise<Buffer> => {
    if (raw) return payload;
    const line = readLine(payload, timestamps);
    return showLine(line, await names.nameOf(line.context), details);
  };
  for await (const { kind, payload } of framesOf(bytesOf(answer))) {
    switch (kind) {
      case 'stdout':
        context.copy(await show(payload), 'stdout');
        break;
      case 'stderr':
        context.copy(await show(payload), 'stderr');
        break;
      case 'error':
        throw incomplete(payload.toString().trimEnd());
    }
  }
}

async function find(client: ApiClient, target: string): Promise<Target> {
  const id = encodeURIComponent(target);
  try {
    const { Spec } = await client.get<ServiceDocument>(`/services/${id}`);
    const tty = Spec.TaskTemplate.ContainerSpec.TTY === true;
    return { path: `/services/${id}/logs`, tty, digits: String(Spec.Mode.Replicated?.Replicas ?? 1).length };
  } catch (error) {
    if (!isBaleError(error) || error.kind !== 'not-found') throw error;
  }
  try {
    const { Spec, Slot = 0 } = await client.get<TaskDocument>(`/tasks/${id}`);
    return { path: `/tasks/${id}/logs`, tty: Spec.ContainerSpec.TTY === true, digits: String(Slot).length };
  } catch (error) {
    if (isBaleError(error) && error.kind === 'not-found') throw noSuch(target);
    throw error;
  }
}

/** The answer's bytes; that it broke off is said in our words. */
async function* bytesOf(answer: Readable): AsyncGenerator<Buffer> {
  try {
    // A stream without an encoding yields nothing but bytes.
    yield* answer as AsyncIterable<Buffer>;
  } catch (error) {
    throw new BaleError(`the connection to the daemon broke: ${errorMessage(error)}`, {
      kind: 'unavailable',
      code: 'BALE_DAEMON_UNREACHABLE',
      cause: error,
    });
  }
}

const incomplete = (text: string): BaleError =>
  new BaleError(`error from daemon in stream: ${text}`, { kind: 'unavailable', code: 'BALE_DAEMON_ERROR' });

const noSuch = (target: string): BaleError =>
  new BaleError(`no such task or service: ${target}`, { kind: 'not-found', code: 'BALE_SERVICE_NOT_FOUND' });

const usage = (text: string): BaleError => new BaleError(text, { kind: 'invalid', code: 'BALE_FLAG_INVALID' });
