import type { IncomingMessage, ServerResponse } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { runCli } from '../../cli/main.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import { serviceDocument, taskDocument } from './documents.js';
import { EngineServer } from './engine-server.js';

/** What a command left behind. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A terminal of this size, or none. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
}

/** Standard input of a command. */
export class TestInput extends PassThrough {
  readonly isTTY: boolean;
  readonly raw: boolean[] = [];
  readonly setRawMode = (raw: boolean): void => void this.raw.push(raw);

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }
}

export interface Running {
  readonly input: TestInput;
  readonly output: PassThrough;
  readonly ran: Promise<Ran>;
}

/** Runs one command of the CLI before `daemon`, with streams of its own. */
export function startCli(daemon: EngineServer, words: readonly string[], terminal?: Terminal): Running {
  const input = new TestInput(terminal !== undefined);
  const output = Object.assign(new PassThrough(), { isTTY: terminal !== undefined, ...terminal });
  const error = new PassThrough();
  const [out, err] = [buffer(output), buffer(error)];
  let [printed, warned] = ['', ''];
  const ran = runCli(['-H', `unix://${daemon.socketPath}`, ...words], {
    print: (text) => void (printed += text),
    warn: (text) => void (warned += text),
    terminal: undefined,
    streams: () => ({ input, output, error }),
  }).then(async (code): Promise<Ran> => {
    output.end();
    error.end();
    return { code, out: printed + String(await out), err: warned + String(await err) };
  });
  return { input, output, ran };
}

/** Answers with a document. */
export const answer = (response: ServerResponse, status: number, document: unknown): void => {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(document));
};

const container = 'c'.repeat(64);
const task = (id: string, slot: number, node: string): TaskDocument =>
  taskDocument(id, {
    ServiceID: 'web',
    Slot: slot,
    NodeID: node,
    Status: {
      ...{ Timestamp: '2026-01-01T00:00:00.000Z', State: 'running', Message: 'started' },
      ContainerStatus: { ContainerID: container, PID: 1, ExitCode: 0 },
    },
  });

/** A service `web` whose tasks run on h1 and h2, listed in the wrong order; no other. */
export function serveWeb(request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '').split('?')[0];
  if (path === '/services/web') answer(response, 200, serviceDocument('web', 2));
  else if (path === '/services') answer(response, 200, [serviceDocument('web', 2)]);
  else if (path === '/tasks') answer(response, 200, [task('second', 2, 'n2'), task('first', 1, 'n1')]);
  else if (path === '/nodes') {
    answer(response, 200, [
      { ID: 'n1', Description: { Hostname: 'h1' } },
      { ID: 'n2', Description: { Hostname: 'h2' } },
    ]);
  } else answer(response, 404, { message: `no such thing: ${request.url ?? ''}` });
}

/** A socket on which a test answers in the place of a daemon. */
export async function cliDaemon(): Promise<{
  readonly daemon: EngineServer;
  readonly root: string;
  end(): Promise<void>;
}> {
  const root = await mkdtemp(join(tmpdir(), 'cli-containers-'));
  const daemon = new EngineServer(join(root, 'bale.sock'));
  await daemon.start();
  return {
    daemon,
    root,
    end: async () => {
      await daemon.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}
