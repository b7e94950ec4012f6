import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock as clock } from '../../core/clock.js';
import { createLogger } from '../../core/logger.js';
import { createClusterApi } from '../../daemon/cluster-api.js';
import { openDataDirectory } from '../../daemon/data-directory.js';
import { EngineClient } from '../../daemon/engine-client.js';
import { Membership } from '../../daemon/membership.js';
import { parseDaemonOptions } from '../../daemon/options.js';
import { noParts } from './daemon-on-engine.js';

/** Every route of a daemon's cluster API, as `METHOD /path/:id`: of one that is made for the question. */
export async function apiRoutes(): Promise<readonly string[]> {
  const root = await mkdtemp(join(tmpdir(), 'api-routes-'));
  const command = parseDaemonOptions(['--data-dir', root, '--socket', join(root, 'bale.sock')], {});
  if (command.kind !== 'run') throw new Error(`unexpected command ${command.kind}`);
  const { options } = command;
  const logger = createLogger('silent');
  const data = await openDataDirectory(options.dataDir);
  try {
    const membership = new Membership({ options, data, parts: noParts, clock, logger });
    const engine = new EngineClient(options.engineSocket);
    const { routes, close } = await createClusterApi({ membership, engine, clock, logger });
    await close();
    return [...routes].sort();
  } finally {
    await data.release();
    await rm(root, { recursive: true, force: true });
  }
}
