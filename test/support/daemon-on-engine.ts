import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../core/clock.js';
import { createLogger } from '../../core/logger.js';
import type { NodeParts } from '../../daemon/cluster-node.js';
import { startDaemon } from '../../daemon/daemon.js';
import { type DaemonOptions, parseDaemonOptions } from '../../daemon/options.js';
import { EngineServer } from './engine-server.js';
import { freePort } from './free-port.js';
import { SocketClient } from './socket-client.js';

/** For tests in which the node never becomes a member. */
export const noParts: NodeParts = {
  executor: () => Promise.reject(new Error('this test has no executor')),
  mesh: () => Promise.reject(new Error('this test has no mesh')),
  build: '',
};

export interface DaemonOnEngine {
  readonly engine: EngineServer;
  readonly client: SocketClient;
  readonly options: DaemonOptions;
  /** Stops everything and removes its directory. */
  end(): Promise<void>;
}

/** A daemon in this process, before an Engine of the test's own, in a directory of its own. */
export async function daemonOnEngine(
  argv: readonly string[] = [],
  parts: NodeParts = noParts,
): Promise<DaemonOnEngine> {
  const root = await mkdtemp(join(tmpdir(), 'daemon-test-'));
  const engine = new EngineServer(join(root, 'engine.sock'));
  await engine.start();
  const options = await optionsIn(root, engine.socketPath, argv);
  const daemon = await startDaemon(options, { parts, clock: systemClock, logger: createLogger('silent') });
  return {
    engine,
    client: new SocketClient(options.socket),
    options,
    end: async () => {
      await daemon.close();
      await engine.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function optionsIn(root: string, engineSocket: string, argv: readonly string[]): Promise<DaemonOptions> {
  const own = ['--socket', join(root, 'run/bale.sock'), '--data-dir', join(root, 'data'), '--engine', engineSocket];
  // A join looks whether they can be listened on before it looks at the token.
  const ports = ['--listen-addr', `0.0.0.0:${await freePort()}`, '--mesh-addr', `0.0.0.0:${await freePort()}`];
  const command = parseDaemonOptions([...own, ...ports, ...argv], {});
  if (command.kind !== 'run') throw new Error(`unexpected command ${command.kind}`);
  return command.options;
}
