import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EngineState, Executor } from '../../agent/executor/executor.js';
import { newId } from '../../core/id.js';
import type { Assignment } from '../../proto/assignment.js';
import { assignment as makeAssignment, type AssignmentParts } from '../support/assignments.js';

/** What the suite needs beside an executor: hands on its Engine. */
export interface ExecutorHarness extends AsyncDisposable {
  readonly executor: Executor;
  /** The executor of another node on the same Engine. */
  readonly stranger: Executor;
  /** What a container must be for `end` and `makeHealthy` to reach it. */
  readonly container: NonNullable<AssignmentParts['container']>;
  /** The container hears signals: its process has begun a moment after its start. */
  ready(taskId: string): Promise<void>;
  /** The container ends by itself. */
  end(taskId: string, exitCode: number): Promise<void>;
  makeHealthy(taskId: string): Promise<void>;
  /** Somebody else removes the container. */
  destroy(taskId: string): Promise<void>;
  engineDown(): Promise<void>;
  engineUp(): Promise<void>;
}

const signal = new AbortController().signal;
const GRACE = 5_000_000_000;

/** The contract of Executor: each implementation must pass. */
export function executorConformance(name: string, make: () => Promise<ExecutorHarness>): void {
  describe(`executor: ${name}`, () => {
    let harness: ExecutorHarness;
    beforeAll(async () => {
      harness = await make();
    });
    afterAll(() => harness[Symbol.asyncDispose]());

    const task = (parts: AssignmentParts = {}): Assignment =>
      makeAssignment(newId(), { ...parts, container: { ...harness.container, ...parts.container } });

    const running = async (parts: AssignmentParts = {}): Promise<Assignment> => {
      const assignment = task(parts);
      await harness.executor.create(assignment, signal);
      await harness.executor.start(assignment.taskId, signal);
      return assignment;
    };

    test('a created container does not run; started, it has a process and an address', async () => {
      const { executor } = harness;
      const assignment = task();
      await executor.create(assignment, signal);
      expect(await executor.inspect(assignment.taskId, signal)).toMatchObject({ phase: 'created', pid: 0 });
      const state = await executor.start(assignment.taskId, signal);
      expect(state).toMatchObject({
        taskId: assignment.taskId,
        serviceId: assignment.serviceId,
        phase: 'running',
        error: '',
      });
      expect(state.pid).toBeGreaterThan(1);
      expect(state.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect(state.containerId).not.toBe('');
      expect(state).not.toHaveProperty('health');
      expect(await executor.inspect(assignment.taskId, signal)).toEqual(state);
      expect(await executor.list(signal)).toContainEqual(state);
    });

    test('create and start may be repeated', async () => {
      const { executor } = harness;
      const assignment = await running();
      const before = await executor.inspect(assignment.taskId, signal);
      await executor.create(assignment, signal);
      expect(await executor.start(assignment.taskId, signal)).toEqual(before);
    });

    test('an image that is not there is told apart, and cannot be pulled when nobody has it', async () => {
      const { executor } = harness;
      const assignment = task({ container: { Image: 'localhost:1/nowhere/to-be-found:1' } });
      const absent = { code: 'BALE_IMAGE_NOT_FOUND', message: expect.stringContaining('to-be-found') as string };
      await expect(executor.create(assignment, signal)).rejects.toMatchObject(absent);
      await expect(
        executor.pull(
          assignment,
          () => undefined,
          () => undefined,
          signal,
        ),
      ).rejects.toThrow(/No such image: localhost:1\/nowhere\/to-be-found:1: ./);
      expect(await executor.inspect(assignment.taskId, signal)).toBeUndefined();
    });

    test('pulling an image that is there does nothing', async () => {
      await harness.executor.pull(
        task(),
        () => undefined,
        () => undefined,
        signal,
      );
    });

    test('a task without a container cannot be started; stopping and removing it does nothing', async () => {
      const { executor } = harness;
      const taskId = newId();
      await expect(executor.start(taskId, signal)).rejects.toMatchObject({ code: 'BALE_CONTAINER_NOT_FOUND' });
      expect(await executor.inspect(taskId, signal)).toBeUndefined();
      await executor.stop(taskId, GRACE, signal);
      await executor.remove(taskId, signal);
    });

    test('a stopped container has no process and no address; stopping again does nothing', async () => {
      const { executor } = harness;
      const { taskId } = await running();
      await harness.ready(taskId);
      await executor.stop(taskId, GRACE, signal);
      const state = await executor.inspect(taskId, signal);
      expect(state).toMatchObject({ phase: 'exited', pid: 0, exitCode: 143 });
      expect(state).not.toHaveProperty('address');
      await executor.stop(taskId, GRACE, signal);
    });

    test('a container is removed whether it runs or not, once and again', async () => {
      const { executor } = harness;
      const { taskId } = await running();
      await executor.remove(taskId, signal);
      expect(await executor.inspect(taskId, signal)).toBeUndefined();
      expect((await executor.list(signal)).map((state) => state.taskId)).not.toContain(taskId);
      await executor.remove(taskId, signal);
    });

    test('a container that ends by itself is news, with its exit code', async () => {
      const { executor } = harness;
      const { taskId } = await running();
      await using watch = await watching(executor);
      const news = watch.until(async () => {
        const state = await executor.inspect(taskId, signal);
        return state?.phase === 'exited' && state.exitCode === 3;
      }, taskId);
      await harness.end(taskId, 3);
      await news;
    });

    test('a health check is pending first; that it passes is news', async () => {
      const { executor } = harness;
      const Healthcheck = { Test: ['CMD-SHELL', 'test -f /tmp/healthy'], Interval: 1e8, Retries: 1000 };
      const { taskId } = await running({ container: { Healthcheck } });
      expect(await executor.inspect(taskId, signal)).toMatchObject({ health: 'starting' });
      await using watch = await watching(executor);
      const news = watch.until(async () => (await executor.inspect(taskId, signal))?.health === 'healthy', taskId);
      await harness.makeHealthy(taskId);
      await news;
    });

    test('a health check can be run before the Engine does, as often as one likes', async () => {
      const { executor } = harness;
      const Healthcheck = { Test: ['CMD-SHELL', 'test -f /tmp/healthy'] };
      const { taskId } = await running({ container: { Healthcheck } });
      const check = (await executor.inspect(taskId, signal))?.check;
      if (check === undefined) throw new Error('the container has no health check');
      expect(check).toMatchObject({ interval: 30_000, timeout: 30_000 });
      expect(await executor.probe(taskId, check, signal)).toMatchObject({ kind: 'ended', exitCode: 1 });
      await harness.makeHealthy(taskId);
      expect(await executor.probe(taskId, check, signal)).toEqual({ kind: 'ended', exitCode: 0, output: '' });
      await executor.stop(taskId, GRACE, signal);
      await expect(executor.probe(taskId, check, signal)).rejects.toMatchObject({ code: 'BALE_CONTAINER_CONFLICT' });
      await expect(executor.probe(taskId, check, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    });

    test('that somebody else removed a container is news', async () => {
      const { executor } = harness;
      const { taskId } = await running();
      await using watch = await watching(executor);
      const news = watch.until(async () => (await executor.inspect(taskId, signal)) === undefined, taskId);
      await harness.destroy(taskId);
      await news;
    });

    test('containers of another node are neither seen nor touched', async () => {
      const { executor, stranger } = harness;
      const { taskId } = await running();
      expect(await stranger.list(signal)).toEqual([]);
      expect(await stranger.inspect(taskId, signal)).toBeUndefined();
      await stranger.stop(taskId, GRACE, signal);
      await stranger.remove(taskId, signal);
      expect(await executor.inspect(taskId, signal)).toMatchObject({ phase: 'running' });
    });

    test('a call whose signal is aborted is not made', async () => {
      const { executor } = harness;
      const assignment = task();
      await expect(executor.create(assignment, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
      expect(await executor.inspect(assignment.taskId, signal)).toBeUndefined();
    });

    test('the machine describes itself', async () => {
      const description = await harness.executor.describe(signal);
      expect(description.Platform.OS).toBe('linux');
      expect(description.Resources.NanoCPUs).toBeGreaterThanOrEqual(1e9);
      expect(description.Resources.MemoryBytes).toBeGreaterThan(2 ** 20);
      expect(description.Engine.EngineVersion).not.toBe('');
    });

    test('an Engine that is gone is told apart, and its return is news', async () => {
      const { executor } = harness;
      await using watch = await watching(executor);
      await harness.engineDown();
      await watch.engine(false);
      await expect(executor.list(signal)).rejects.toMatchObject({ code: 'BALE_ENGINE_UNAVAILABLE' });
      await expect(executor.create(task(), signal)).rejects.toMatchObject({ code: 'BALE_ENGINE_UNAVAILABLE' });
      await harness.engineUp();
      await watch.engine(true);
      await executor.list(signal);
    });
  });
}

interface Watch extends AsyncDisposable {
  /** Resolves when `holds` answers true at a piece of news about `taskId`. */
  until(holds: () => Promise<boolean>, taskId: string): Promise<void>;
  /** Resolves at the next news of the Engine that says so. */
  engine(reachable: boolean): Promise<void>;
}

/** Follows the news of an executor; returned once its Engine answered. */
async function watching(executor: Executor): Promise<Watch> {
  const news = new Set<(taskId: string) => void>();
  const states: EngineState[] = [];
  let onState = (): void => undefined;
  const end = executor.watch(
    (taskId) => {
      for (const listener of news) listener(taskId);
    },
    (state) => {
      states.push(state);
      onState();
    },
  );
  const engine = (reachable: boolean): Promise<void> =>
    new Promise((resolve) => {
      onState = () => {
        const found = states.findIndex((state) => state.reachable === reachable);
        if (found < 0) return;
        states.splice(0, found + 1);
        resolve();
      };
      onState();
    });
  await engine(true);
  return {
    engine,
    until: (holds, wanted) =>
      new Promise((resolve, reject) => {
        const listener = (taskId: string): void => {
          if (taskId !== wanted) return;
          holds().then((held) => {
            if (!held) return;
            news.delete(listener);
            resolve();
          }, reject);
        };
        news.add(listener);
      }),
    [Symbol.asyncDispose]: () => {
      end();
      return Promise.resolve();
    },
  };
}
