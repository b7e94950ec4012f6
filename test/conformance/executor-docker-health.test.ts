import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDockerExecutor } from '../../agent/executor/docker-executor.js';
import type { Executor } from '../../agent/executor/executor.js';
import type { HealthCheck } from '../../agent/executor/health-check.js';
import { systemClock } from '../../core/clock.js';
import { newId } from '../../core/id.js';
import { createLogger } from '../../core/logger.js';
import type { ContainerSpec } from '../../proto/engine/container-spec.js';
import { assignment } from '../support/assignments.js';
import { startDockerEngine, type DockerEngine } from '../support/docker-engine.js';
import { eventually } from '../support/eventually.js';

const signal = new AbortController().signal;
const SLEEP = ['sleep', '1000'];

/** That running a health check early is what the Engine itself would do later. */
describe('a task with a health check in a real Engine', () => {
  let engine: DockerEngine;
  let executor: Executor;
  beforeAll(async () => {
    engine = await startDockerEngine({
      bridge: `balep${process.pid}`,
      subnet: `10.217.${process.pid % 250}.1/24`,
    });
    executor = createDockerExecutor({
      socketPath: engine.socketPath,
      nodeId: 'n1',
      hostname: 'n1',
      filesDirectory: '/dev/shm/bale-health-never-made',
      logger: createLogger('silent'),
      clock: systemClock,
    });
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  test('runs its health check as the Engine does: with its own user, directory and environment', async () => {
    const line = 'echo "$COLOUR $(id -u) $(pwd)"; echo broken >&2; exit 3';
    const container = { Env: ['COLOUR=teal'], User: 'app', Dir: '/tmp', Healthcheck: { Test: ['CMD-SHELL', line] } };
    const task = assignment(newId(), { container: { Command: SLEEP, ...container } });
    await executor.create(task, signal);
    const { check } = await executor.start(task.taskId, signal);
    if (check === undefined) throw new Error('no health check');
    const result = await executor.probe(task.taskId, check, signal);
    if (result.kind === 'hangs') throw new Error('it hangs');
    expect(result.exitCode).toBe(3);
    expect(result.output).toContain('teal 1000 /tmp\n');
    expect(result.output).toContain('broken\n');
  });

  test('has at most one probe that hangs', async () => {
    const Test = ['CMD-SHELL', 'echo >> /tmp/probes; while [ ! -f /tmp/go ]; do sleep 0.05; done'];
    // The Engine's own probes would count too: the first comes after an hour.
    const Healthcheck = { Test, Interval: 36e11, Timeout: 2e8 };
    const task = assignment(newId(), { container: { Command: SLEEP, Healthcheck } });
    await executor.create(task, signal);
    const { check, containerId } = await executor.start(task.taskId, signal);
    if (check === undefined) throw new Error('no health check');
    const inside = (text: string): Promise<string> => engine.docker('exec', containerId, 'sh', '-c', text);
    const begun = async (): Promise<string> => (await inside('wc -l < /tmp/probes')).trim();
    const hangs = async (): Promise<void> =>
      expect(await executor.probe(task.taskId, check, signal)).toEqual({ kind: 'hangs' });
    await hangs();
    // Its time may be over before its process has begun.
    await eventually('the probe to begin', async () => (await begun()) === '1');
    for (let round = 0; round < 3; round += 1) await hangs();
    expect(await begun()).toBe('1');
    await inside('touch /tmp/go');
    const patient = { ...check, timeout: 10_000 };
    await eventually('the old probe to end', async () => {
      const result = await executor.probe(task.taskId, patient, signal);
      return result.kind === 'ended' && result.exitCode === 0;
    });
    expect(await begun()).toBe('2');
  });

  test('has no health check that is off, and the one of its image unless it has its own', async () => {
    const started = async (container: Partial<ContainerSpec>): Promise<HealthCheck | undefined> => {
      const task = assignment(newId(), { container: { Command: SLEEP, ...container } });
      await executor.create(task, signal);
      return (await executor.start(task.taskId, signal)).check;
    };
    const plain = await engine.docker('create', 'bale-test:1', 'true');
    const change = 'HEALTHCHECK --interval=7s CMD ["test", "-d", "/tmp"]';
    await engine.docker('commit', '--change', change, plain.trim(), 'bale-checked:1');
    expect(await started({ Image: 'bale-checked:1' })).toMatchObject({
      command: ['test', '-d', '/tmp'],
      interval: 7_000,
    });
    expect(await started({ Image: 'bale-checked:1', Healthcheck: { Test: ['NONE'] } })).toBeUndefined();
    expect(await started({ Healthcheck: { Test: ['NONE'] } })).toBeUndefined();
  });
});
