import { systemClock } from '../../core/clock.js';
import { SimulatedEngine } from '../support/simulated-executor.js';
import { executorConformance } from './executor.js';

executorConformance('simulated', () => {
  const engine = new SimulatedEngine({ clock: systemClock, images: ['bale-test:1'], registry: [] });
  const node = engine.executor('node-1');
  const done = (): Promise<void> => Promise.resolve();
  return Promise.resolve({
    executor: node,
    stranger: engine.executor('node-2'),
    container: {},
    ready: done,
    end: (taskId, exitCode) => {
      engine.kill(taskId, exitCode);
      return done();
    },
    makeHealthy: (taskId) => {
      engine.setHealth(taskId, 'healthy');
      return done();
    },
    destroy: (taskId) => {
      node.destroy(taskId);
      return done();
    },
    engineDown: () => {
      node.unreachable('connect ECONNREFUSED');
      return done();
    },
    engineUp: () => {
      node.reachable();
      return done();
    },
    [Symbol.asyncDispose]: done,
  });
});
