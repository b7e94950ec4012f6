import { createServer } from 'node:net';

/**
 * Below the ports that Linux gives to whoever asks for any (from 32768 on): else a connection, or a server
 * of a test file that runs at the same time, may be given the port before its owner listens on it.
 */
const PORTS = { first: 12_000, last: 32_000 } as const;

/**
 * Test files that run at the same time take theirs out of different parts: one of them would else be given, or try
 * out, the port that a manager of another one is about to listen on, or comes back to.
 */
const PARTS = 16;
const PART_SIZE = Math.floor((PORTS.last - PORTS.first) / PARTS);
const partStart = PORTS.first + (Number(process.env.VITEST_POOL_ID ?? 0) % PARTS) * PART_SIZE;

const given = new Set<number>();

/**
 * A port that nobody has at the moment, for one who must know it before it listens, such as a manager, which
 * keeps its port over restarts. It is free on all addresses.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = partStart + Math.floor(Math.random() * PART_SIZE);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen(port, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
