import { setMaxIdleHTTPParsers } from 'node:http';
import { parseArgs } from 'node:util';
import { systemClock } from '../../core/clock.js';
import { errorMessage } from '../../core/errors.js';
import { loadIdentity } from '../../core/identity-file.js';
import { ipcChannel } from './ipc-channel.js';
import { Mesh } from './mesh.js';
import { readMeshConfig } from './mesh-config.js';
import { createMeshLogger } from './mesh-logger.js';

/** How long what is under way may last after the mesh was told to end, ms. */
const GRACE = 30_000;
/** HTTP parsers that are kept for the next connections. Node keeps 1,000 of each load, and never gives them back. */
const IDLE_PARSERS = 64;
/** How often the mesh looks whether a daemon could still find it, ms. */
const REACHABLE_PERIOD = 5_000;

/** `bale mesh --config FILE`. */
export async function runMeshCommand(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options: { config: { type: 'string' } } });
  if (values.config === undefined) {
    process.stderr.write('usage: bale mesh --config FILE\n');
    process.exitCode = 2;
    return;
  }
  await runMesh(values.config);
}

/**
 * Runs a mesh process by the config in `configFile` until it is told to end (SIGTERM, SIGINT, or
 * `quit` from the daemon). Exit status 0 then, 1 after an error.
 */
export async function runMesh(configFile: string): Promise<void> {
  setMaxIdleHTTPParsers(IDLE_PARSERS);
  let logger = createMeshLogger('info', { room: 'mesh' });
  const fail = (error: unknown): never => {
    // Whatever the level: the daemon reads here why its mesh ended.
    createMeshLogger('error', { room: 'mesh' }).error(
      { err: errorMessage(error), stack: error instanceof Error ? error.stack : undefined },
      'mesh failed',
    );
    process.exit(1);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  try {
    const config = readMeshConfig(configFile);
    logger = createMeshLogger(config.logLevel, { room: 'mesh', node: config.nodeId });
    let ending = false;
    const end = (reason: string): void => {
      if (ending) return;
      ending = true;
      logger.info({ reason }, 'mesh ends');
      void mesh.close(GRACE).then(() => process.exit(0));
    };
    const mesh = await Mesh.start({
      config,
      loadIdentity,
      logger,
      clock: systemClock,
      random: Math.random,
      // Only a mesh process starts another with a channel.
      ...(process.send === undefined ? {} : { parent: ipcChannel(process) }),
      onQuit: end,
    });
    process.on('SIGTERM', () => {
      end('SIGTERM');
    });
    process.on('SIGINT', () => {
      end('SIGINT');
    });
    // The terminal of the daemon that started it is not ours.
    process.on('SIGHUP', () => undefined);
    setInterval(() => {
      if (!mesh.isReachable) end('its control socket was removed: no daemon could find it again');
    }, REACHABLE_PERIOD);
    logger.info({ listenAddr: config.listenAddr, publishAddr: config.publishAddr }, 'mesh runs');
  } catch (error) {
    fail(error);
  }
}
