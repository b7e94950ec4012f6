import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { waitAtMost } from '../../../../agent/mesh/patience.js';
import { dialTcp } from '../../../../agent/mesh/tcp-dial.js';

/** As of a process that gets no processor time. */
function stall(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('a connection that came about while this process was stopped is no timeout', async () => {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  const dialled = dialTcp('127.0.0.1', port, 20);
  await Promise.resolve();
  stall(60);
  (await dialled).destroy();
  await new Promise((resolve) => server.close(resolve));
});

test('patience ends, unless what was waited for came before', async () => {
  const over: string[] = [];
  const came = waitAtMost(1, () => over.push('came'));
  came();
  await new Promise<void>((resolve) => {
    waitAtMost(2, () => {
      over.push('did not come');
      resolve();
    });
  });
  expect(over).toEqual(['did not come']);
});
