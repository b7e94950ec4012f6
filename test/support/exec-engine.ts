import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { json } from 'node:stream/consumers';
import type { EngineServer } from './engine-server.js';

/** One process that a client started in a container. */
export interface ExecProcess {
  /** The body of `POST /containers/{id}/exec`. */
  readonly asked: Readonly<Record<string, unknown>>;
  readonly socket: Duplex;
  /** Ends the output; the exit code is asked for afterwards. */
  exit(code: number): void;
}

/** The head of the frames in which an Engine multiplexes two outputs. */
export function frame(stream: 1 | 2, text: string | Buffer): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(body.length, 4);
  return Buffer.concat([head, body]);
}

const EXEC_ID = 'e'.repeat(64);
const SWITCH =
  'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

/** Gives an Engine of a test the routes of exec; `run` plays the process. Other requests are answered by `others`. */
export function serveExec(
  engine: EngineServer,
  run: (process: ExecProcess) => void,
  others: (request: IncomingMessage, response: ServerResponse) => void,
): { readonly resizes: string[]; readonly containers: string[] } {
  let asked: Record<string, unknown> = {};
  let exitCode: number | null = null;
  const seen: { resizes: string[]; containers: string[] } = { resizes: [], containers: [] };
  engine.behave = (request, response) => {
    // docker-modem writes the mark of a query also before none.
    const url = (request.url ?? '').replace(/\?$/, '');
    const container = /^\/containers\/([^/]+)\/exec$/.exec(url)?.[1];
    if (container !== undefined) {
      seen.containers.push(container);
      void json(request).then((body) => {
        asked = body as Record<string, unknown>; // an object, as the API defines it
        response.writeHead(201, { 'Content-Type': 'application/json' }).end(`{"Id":"${EXEC_ID}"}`);
      });
    } else if (url === `/exec/${EXEC_ID}/json`) {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ ID: EXEC_ID, ExitCode: exitCode, Running: exitCode === null }));
    } else if (url.startsWith(`/exec/${EXEC_ID}/resize?`)) {
      seen.resizes.push(url.split('?')[1] ?? '');
      response.writeHead(201).end();
    } else if (url === `/exec/${EXEC_ID}/start`) {
      request.resume().on('end', () => response.writeHead(200).end());
    } else others(request, response);
  };
  engine.upgrade = (request, socket, head) => {
    const length = Number(request.headers['content-length'] ?? '0');
    let left = length - head.length;
    const begin = (): void => {
      socket.write(SWITCH);
      run({
        asked,
        socket,
        exit: (code) => {
          exitCode = code;
          socket.end();
        },
      });
    };
    if (left <= 0) {
      if (left < 0) socket.unshift(head.subarray(length));
      begin();
      return;
    }
    const takeBody = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left > 0) return;
      socket.off('data', takeBody);
      socket.pause();
      if (left < 0) socket.unshift(chunk.subarray(chunk.length + left));
      begin();
    };
    socket.on('data', takeBody);
  };
  return seen;
}
