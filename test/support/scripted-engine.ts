import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ScriptedEngine extends AsyncDisposable {
  readonly socketPath: string;
  /** `METHOD path` of each request so far. */
  readonly requests: readonly string[];
}

/** A unix socket that answers as `answer` says: for Engines that misbehave in ways a real one cannot be brought to. */
export async function serveEngine(
  answer: (path: string, response: ServerResponse, request: IncomingMessage) => void,
): Promise<ScriptedEngine> {
  const directory = await mkdtemp(join(tmpdir(), 'bale-fake-engine-'));
  const socketPath = join(directory, 'docker.sock');
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(`${request.method ?? ''} ${path}`);
    answer(path, response, request);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
