import type { IncomingHttpHeaders } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { EngineServer } from './engine-server.js';

export interface ScriptedDaemon extends AsyncDisposable {
  /** For `--host`. */
  readonly host: string;
  /** Changing requests so far: `POST /path?query` and the body. */
  readonly changes: readonly { readonly request: string; readonly body: unknown }[];
  /** The headers of all requests so far. */
  readonly headers: readonly IncomingHttpHeaders[];
}

export interface ScriptedAnswer {
  readonly status?: number;
  readonly body?: unknown;
}

/** A daemon's socket that answers each `METHOD /path` as `answer` says, versions and queries left out; 404 for what it leaves out. */
export async function scriptedDaemon(answer: (request: string) => ScriptedAnswer | undefined): Promise<ScriptedDaemon> {
  const directory = await mkdtemp(join(tmpdir(), 'bale-scripted-daemon-'));
  const engine = new EngineServer(join(directory, 'socket'));
  const changes: { request: string; body: unknown }[] = [];
  const headers: IncomingHttpHeaders[] = [];
  engine.behave = (request, response) => {
    headers.push(request.headers);
    void buffer(request).then((bytes) => {
      const url = (request.url ?? '').replace(/^\/v\d+\.\d+(?=\/)/, '');
      const line = `${request.method ?? ''} ${url}`;
      const text = bytes.toString();
      if (request.method !== 'GET') changes.push({ request: line, body: text === '' ? undefined : JSON.parse(text) });
      const { status = 200, body = { message: `no such thing: ${line}` } } = answer(line.replace(/\?.*/, '')) ?? {
        status: 404,
      };
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  };
  await engine.start();
  return {
    host: `unix://${engine.socketPath}`,
    changes,
    headers,
    [Symbol.asyncDispose]: async () => {
      await engine.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
