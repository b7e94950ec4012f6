import { BaleError } from '../../core/errors.js';
import type { ApiClient } from '../client.js';
import { CommandEnded, type Context } from '../context.js';
import { containerNamed } from './find-tasks.js';
import { runSession } from './session.js';

export interface AttachFlags {
  readonly detachKeys?: string;
  readonly stdin: boolean;
  readonly sigProxy: boolean;
}

/** What is read of a container's document. */
interface Container {
  readonly Id: string;
  readonly Config: { readonly Tty: boolean; readonly OpenStdin: boolean };
  readonly State: { readonly Running: boolean; readonly Paused: boolean; readonly Restarting: boolean };
}

/** Those that a terminal or a service manager sends to end or nudge a program. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Throws CommandEnded with the exit code of the task unless that is 0. */
export async function runAttach(context: Context, operand: string, flags: AttachFlags): Promise<void> {
  const client = await context.connect();
  const path = `/containers/${await containerNamed(client, operand)}`;
  const container = await runningContainer(client, path);
  const { Tty: tty, OpenStdin: openStdin } = container.Config;
  const input = flags.stdin && openStdin;
  // Asked for before: the container may end while it is attached to, and be removed at once.
  const waiting = new AbortController();
  const wait = client
    .post<{ StatusCode: number }>(`${path}/wait`, undefined, {}, { signal: waiting.signal })
    .then(({ StatusCode }) => StatusCode)
    .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  const endProxy = flags.sigProxy && !tty ? handSignalsOn(client, path) : undefined;
  try {
    const query = { stream: 1, stdout: 1, stderr: 1, ...(input ? { stdin: 1 } : {}), detachKeys: flags.detachKeys };
    const connection = await client.hijack(`${path}/attach`, query);
    await runSession(connection, context.streams(), {
      tty,
      input,
      resize: ({ rows, columns }) => client.post(`${path}/resize`, undefined, { h: rows, w: columns }),
    });
    const exitCode = await endOf(wait, () => stillRuns(client, path));
    if (exitCode === undefined) return;
    if (exitCode instanceof Error) throw exitCode;
    if (exitCode !== 0) throw new CommandEnded(exitCode);
  } finally {
    endProxy?.();
    waiting.abort();
  }
}

async function runningContainer(client: ApiClient, path: string): Promise<Container> {
  const container = await client.get<Container>(`${path}/json`);
  const { Running, Paused, Restarting } = container.State;
  if (!Running) throw cannot('You cannot attach to a stopped container, start it first');
  if (Paused) throw cannot('You cannot attach to a paused container, unpause it first');
  if (Restarting) throw cannot('You cannot attach to a restarting container, wait until it is running');
  return container;
}

/** An Engine ends the output a moment before it knows that the process has ended. */
const END_PATIENCE_MS = 1_000;

/** Undefined when the container runs on: its output ended with the keys that detach. */
async function endOf<End>(wait: Promise<End>, stillRuns: () => Promise<boolean>): Promise<End | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, END_PATIENCE_MS, undefined);
  });
  const end = await Promise.race([wait, patience]);
  clearTimeout(timer);
  return end ?? ((await stillRuns()) ? undefined : wait);
}

async function stillRuns(client: ApiClient, path: string): Promise<boolean> {
  try {
    return (await client.get<Container>(`${path}/json`)).State.Running;
  } catch (error) {
    // An ended task's container may be removed already; its exit code was waited for.
    if (error instanceof BaleError && error.kind === 'not-found') return false;
    throw error;
  }
}

function handSignalsOn(client: ApiClient, path: string): () => void {
  const handOn = (signal: NodeJS.Signals): void => {
    // The process may have ended in between: then there is nobody to tell.
    client.post(`${path}/kill`, undefined, { signal: signal.replace('SIG', '') }).catch(() => undefined);
  };
  for (const signal of SIGNALS) process.on(signal, handOn);
  return () => {
    for (const signal of SIGNALS) process.off(signal, handOn);
  };
}

const cannot = (message: string): BaleError =>
  new BaleError(message, { kind: 'failed-precondition', code: 'BALE_ATTACH_REFUSED' });
