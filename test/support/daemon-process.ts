import { systemClock } from '../../core/clock.js';
import { createLogger } from '../../core/logger.js';
import { startDaemon } from '../../daemon/daemon.js';
import { parseDaemonOptions } from '../../daemon/options.js';
import { QuietMesh } from './daemon-cluster.js';
import { SimulatedEngine } from './simulated-executor.js';

/**
 * A daemon with these options, as a program that can be killed: all is real but containers, which are simulated,
 * and the mesh, which routes nothing.
 */
const command = parseDaemonOptions(process.argv.slice(2), {});
if (command.kind !== 'run') throw new Error(`unexpected command ${command.kind}`);
const containers = new SimulatedEngine({ clock: systemClock });
await startDaemon(command.options, {
  parts: {
    executor: ({ nodeId }) => Promise.resolve(containers.executor(nodeId)),
    mesh: () => Promise.resolve(new QuietMesh()),
    build: '',
  },
  clock: systemClock,
  logger: createLogger('silent'),
});
