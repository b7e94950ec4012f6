import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, get, type Server } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forwardRequest } from '../../../../agent/streams/engine-forward.js';
import { EngineServer } from '../../../support/engine-server.js';

let directory: string;
let engine: EngineServer;
let agent: Server;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bale-forward-'));
  engine = new EngineServer(join(directory, 'engine.sock'));
  await engine.start();
  agent = createServer((request, response) => {
    forwardRequest(request, response, request.url ?? '/', engine.socketPath);
  });
  agent.listen(join(directory, 'agent.sock'));
  await once(agent, 'listening');
});

afterEach(async () => {
  agent.closeAllConnections();
  agent.close();
  await engine.stop();
  await rm(directory, { recursive: true, force: true });
});

interface Received {
  readonly bytes: number;
  readonly pieces: number;
  readonly isWhole: boolean;
}

const ask = (): Promise<Received> =>
  new Promise((resolve, reject) => {
    get({ socketPath: join(directory, 'agent.sock'), path: '/containers/c/logs' }, (answer) => {
      let bytes = 0;
      let pieces = 0;
      answer.on('data', (piece: Buffer) => {
        bytes += piece.length;
        pieces += 1;
      });
      answer.on('error', () => undefined);
      answer.on('close', () => {
        resolve({ bytes, pieces, isWhole: answer.complete });
      });
    }).on('error', reject);
  });

/** As an Engine writes a log: each line is a chunk of its own. */
const LINES = '2\r\nx\n\r\n'.repeat(5_000);

test('what the Engine sends in many pieces goes on in few', async () => {
  engine.behave = (_request, response) => {
    response.writeHead(200);
    response.flushHeaders();
    response.socket?.write(`${LINES}0\r\n\r\n`);
  };
  const { bytes, pieces, isWhole } = await ask();
  expect({ bytes, isWhole }).toEqual({ bytes: 10_000, isWhole: true });
  expect(pieces).toBeLessThan(100);
});

test('an answer that breaks off is not passed on as whole', async () => {
  engine.behave = (_request, response) => {
    response.writeHead(200);
    response.flushHeaders();
    response.socket?.end(LINES);
  };
  expect(await ask()).toMatchObject({ isWhole: false });
});
