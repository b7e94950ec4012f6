import { createDockerExecutor } from '../../agent/executor/docker-executor.js';
import { systemClock } from '../../core/clock.js';
import { createLogger } from '../../core/logger.js';
import { startDockerEngine } from '../support/docker-engine.js';
import { executorConformance } from './executor.js';

/** Ends when told by a file, and at once on SIGTERM, which it hears once it said by another that it is ready. */
const OBEDIENT =
  'trap "exit 143" TERM; touch /tmp/ready; while [ ! -f /tmp/end ]; do sleep 0.05; done; exit $(cat /tmp/end)';

executorConformance('Docker Engine', async () => {
  const number = process.pid % 250;
  const engine = await startDockerEngine({ bridge: `balec${process.pid}`, subnet: `10.215.${number}.1/24` });
  const make = (nodeId: string): ReturnType<typeof createDockerExecutor> =>
    createDockerExecutor({
      socketPath: engine.socketPath,
      nodeId,
      hostname: nodeId,
      filesDirectory: `/dev/shm/bale-conformance-${process.pid}/${nodeId}`,
      logger: createLogger('silent'),
      clock: systemClock,
    });
  const containerOf = async (taskId: string): Promise<string> =>
    (await engine.docker('ps', '-aq', '--filter', `label=com.docker.swarm.task.id=${taskId}`)).trim();
  const inside = async (taskId: string, line: string): Promise<void> => {
    await engine.docker('exec', await containerOf(taskId), 'sh', '-c', line);
  };
  return {
    executor: make('node-1'),
    stranger: make('node-2'),
    container: { Image: 'bale-test:1', Command: ['sh', '-c', OBEDIENT] },
    ready: (taskId) => inside(taskId, 'while [ ! -f /tmp/ready ]; do sleep 0.05; done'),
    end: (taskId, exitCode) => inside(taskId, `echo ${exitCode} > /tmp/end.new && mv /tmp/end.new /tmp/end`),
    makeHealthy: (taskId) => inside(taskId, 'touch /tmp/healthy'),
    destroy: async (taskId) => {
      await engine.docker('rm', '-f', await containerOf(taskId));
    },
    engineDown: () => engine.kill(),
    engineUp: () => engine.start(),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
});
