import { describe, expect, test } from 'vitest';
import { BaleError } from '../../../../core/errors.js';
import { assignment } from '../../../support/assignments.js';
import { WorkerBench } from '../../../support/worker-bench.js';

/** Time goes by in steps, so that what it brings about can begin something else. */
async function passes(bench: WorkerBench, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 50) {
    await bench.clock.advance(50);
    await bench.rest();
  }
}

const healthcheck = { Healthcheck: { Test: ['CMD', 'true'] } };

describe('running a task', () => {
  test('passes each state once, in order, with two calls to the Engine', async () => {
    const bench = new WorkerBench();
    await bench.rest();
    await bench.complete(assignment('t1'));
    expect(bench.history.get('t1')).toEqual(['accepted', 'preparing', 'ready', 'starting', 'running']);
    expect(bench.node.calls).toMatchObject({ create: 1, start: 1, inspect: 0, pull: 0 });
    expect(bench.latest.get('t1')).toMatchObject({
      Message: 'started',
      ContainerStatus: { ContainerID: 'container-n1-1', PID: 1001, ExitCode: 0 },
    });
    await bench.worker.close();
  });

  test('waits prepared until the manager wishes it to run', async () => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1', { desiredState: 'ready' }));
    expect(bench.state('t1')).toBe('ready');
    expect(bench.node.calls.start).toBe(0);
    await bench.complete(assignment('t1'));
    expect(bench.state('t1')).toBe('running');
    await bench.worker.close();
  });

  test('pulls an image that is missing, saying so meanwhile', async () => {
    const bench = new WorkerBench({ images: [], registry: ['bale-test:1'], pullLatency: 1000 });
    await bench.complete(assignment('t1'));
    expect(bench.latest.get('t1')).toMatchObject({ State: 'preparing', Message: 'pulling image bale-test:1' });
    await bench.clock.advance(1000);
    await bench.rest();
    expect(bench.state('t1')).toBe('running');
    expect(bench.node.calls).toMatchObject({ create: 2, pull: 1 });
    await bench.worker.close();
  });

  test('asks the registry for an image that is there when its service wants that, once', async () => {
    const bench = new WorkerBench({ images: ['bale-test:1'], registry: ['bale-test:1'] });
    await bench.complete(assignment('t1', { serviceLabels: { 'bale.image.pull': 'always' } }));
    expect(bench.state('t1')).toBe('running');
    expect(bench.node.calls).toMatchObject({ create: 1, pull: 1 });
    await bench.complete(assignment('t1'), assignment('t2', { serviceLabels: { 'bale.image.pull': 'missing' } }));
    expect(bench.state('t2')).toBe('running');
    expect(bench.node.calls).toMatchObject({ create: 2, pull: 1 });
    await bench.worker.close();
  });

  test('shows how far a pull is, where `service ps` shows it', async () => {
    const bench = new WorkerBench({ images: [], registry: ['bale-test:1'], pullLatency: 2000 });
    await bench.complete(assignment('t1'));
    await bench.clock.advance(1000);
    await bench.rest();
    expect(bench.latest.get('t1')).toMatchObject({
      State: 'preparing',
      Message: 'pulling image bale-test:1: Pulling',
      Err: 'pulling: Pulling',
    });
    await bench.clock.advance(1000);
    await bench.rest();
    expect(bench.state('t1')).toBe('running');
    expect(bench.latest.get('t1')).not.toHaveProperty('Err');
    await bench.worker.close();
  });

  test("is rejected with the Engine's own words when no image can be had", async () => {
    const bench = new WorkerBench({ images: [] });
    await bench.complete(assignment('t1'));
    expect(bench.latest.get('t1')).toMatchObject({
      State: 'rejected',
      Err: 'No such image: bale-test:1: pull access denied',
    });
    expect(bench.node.containers).toEqual([]);
    await bench.worker.close();
  });

  test('fails when the Engine cannot start it; its container is kept', async () => {
    const bench = new WorkerBench();
    const text = 'OCI runtime create failed: exec: "nope": executable file not found in $PATH';
    bench.node.refuse('start', new BaleError(text, { kind: 'invalid', code: 'BALE_CONTAINER_REFUSED' }));
    await bench.complete(assignment('t1'));
    expect(bench.latest.get('t1')).toMatchObject({ State: 'failed', Err: text });
    expect(bench.node.containers).toHaveLength(1);
    await bench.worker.close();
  });

  test.each([
    [0, 'complete', undefined],
    [9, 'failed', 'task: non-zero exit (9)'],
  ])('with exit code %i is %s', async (code, state, err) => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1'));
    bench.engine.kill('t1', code);
    await bench.rest();
    expect(bench.latest.get('t1')).toMatchObject({ State: state, ContainerStatus: { ExitCode: code, PID: 0 } });
    expect(bench.latest.get('t1')?.Err).toBe(err);
    expect(bench.node.calls.start).toBe(1);
    expect(bench.node.containers).toHaveLength(1);
    await bench.worker.close();
  });
});

describe('health', () => {
  test('a task is not running before its check passes', async () => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1', { container: healthcheck }));
    expect(bench.state('t1')).toBe('starting');
    expect(bench.locals.at(-1)).toEqual([]);
    bench.engine.setHealth('t1', 'healthy');
    await bench.rest();
    expect(bench.state('t1')).toBe('running');
    expect(bench.locals.at(-1)).toHaveLength(1);
    await bench.worker.close();
  });

  test('an unhealthy container is told, goes on serving, and is stopped when the manager says so', async () => {
    const bench = new WorkerBench();
    const task = assignment('t1', { container: healthcheck });
    await bench.complete(task);
    bench.engine.setHealth('t1', 'healthy');
    await bench.rest();
    bench.engine.setHealth('t1', 'unhealthy');
    await bench.rest();
    expect(bench.latest.get('t1')).toMatchObject({
      State: 'running',
      Err: 'task: container unhealthy',
      health: 'unhealthy',
    });
    expect(bench.locals.at(-1)).toHaveLength(1);
    await bench.complete({ ...task, desiredState: 'shutdown', unhealthy: true });
    expect(bench.latest.get('t1')).toMatchObject({ State: 'failed', Err: 'task: container unhealthy' });
    expect(bench.node.container('t1')?.phase).toBe('exited');
    expect(bench.locals.at(-1)).toEqual([]);
    await bench.worker.close();
  });

  test('an unhealthy container is left alone while no manager says anything, and may recover', async () => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1', { container: healthcheck }));
    bench.engine.setHealth('t1', 'healthy');
    await bench.rest();
    bench.engine.setHealth('t1', 'unhealthy');
    await bench.rest();
    await bench.clock.advance(3_600_000);
    expect(bench.node.container('t1')?.phase).toBe('running');
    bench.engine.setHealth('t1', 'healthy');
    await bench.rest();
    expect(bench.latest.get('t1')).toMatchObject({ State: 'running', Message: 'started' });
    expect(bench.latest.get('t1')).not.toHaveProperty('health');
    await bench.worker.close();
  });
});

describe('the first probe of a health check', () => {
  test('is made early: the task runs long before the Engine looks', async () => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1', { container: healthcheck }));
    bench.engine.setProbe('t1', { kind: 'ended', exitCode: 0, output: '' });
    await bench.clock.advance(100);
    await bench.rest();
    expect(bench.state('t1')).toBe('running');
    expect(bench.node.container('t1')?.health).toBe('starting');
    await bench.clock.advance(60_000);
    expect(bench.node.calls.probe).toBe(1);
    await bench.worker.close();
  });

  test('that fails counts for nothing, and is shown', async () => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1', { container: healthcheck }));
    bench.engine.setProbe('t1', { kind: 'ended', exitCode: 1, output: 'no database\n' });
    await passes(bench, 20_000);
    const err = 'waiting for the health check, last probe exit 1: no database';
    expect(bench.latest.get('t1')).toMatchObject({ State: 'starting', Err: err });
    expect(bench.node.calls.probe).toBe(8);
    bench.engine.setProbe('t1', { kind: 'ended', exitCode: 0, output: '' });
    await passes(bench, 5_000);
    expect(bench.state('t1')).toBe('running');
    expect(bench.latest.get('t1')).not.toHaveProperty('Err');
    await bench.worker.close();
  });

  test('that hangs does not keep the verdict of the Engine, or a wish to stop, waiting', async () => {
    const bench = new WorkerBench();
    const task = assignment('t1', { container: healthcheck });
    await bench.complete(task, assignment('t2', { container: healthcheck }));
    for (const id of ['t1', 't2']) bench.engine.setProbe(id, { kind: 'hangs' });
    await passes(bench, 150);
    expect(bench.node.calls.probe).toBe(2);
    bench.engine.setHealth('t1', 'healthy');
    await bench.complete(task, assignment('t2', { container: healthcheck, desiredState: 'shutdown' }));
    expect(bench.state('t1')).toBe('running');
    expect(bench.state('t2')).toBe('shutdown');
    await passes(bench, 60_000);
    expect(bench.node.calls.probe).toBe(2);
    await bench.worker.close();
  });

  test('is left to an Engine that refuses to run it', async () => {
    const bench = new WorkerBench();
    bench.node.refuse(
      'probe',
      new BaleError('page not found', { kind: 'not-found', code: 'BALE_CONTAINER_NOT_FOUND' }),
    );
    await bench.complete(assignment('t1', { container: healthcheck }));
    await passes(bench, 60_000);
    expect(bench.latest.get('t1')).toMatchObject({ State: 'starting', Err: "waiting for the Engine's health check" });
    expect(bench.node.calls.probe).toBe(1);
    bench.engine.setHealth('t1', 'healthy');
    await bench.rest();
    expect(bench.state('t1')).toBe('running');
    await bench.worker.close();
  });

  test('is not made when the check is off', async () => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1', { container: { Healthcheck: { Test: ['NONE'] } } }));
    expect(bench.state('t1')).toBe('running');
    expect(bench.node.calls.probe).toBe(0);
    await bench.worker.close();
  });
});

describe('ending a task', () => {
  test('shutdown stops it and keeps its container; removal takes the container away', async () => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1'));
    await bench.complete(assignment('t1', { desiredState: 'shutdown' }));
    expect(bench.state('t1')).toBe('shutdown');
    expect(bench.node.container('t1')?.phase).toBe('exited');
    await bench.complete();
    expect(bench.node.containers).toEqual([]);
    await bench.worker.close();
  });

  test('a wish to stop ends a pull at once', async () => {
    const bench = new WorkerBench({ images: [], registry: ['bale-test:1'], pullLatency: 3_600_000 });
    await bench.complete(assignment('t1'));
    await bench.complete(assignment('t1', { desiredState: 'shutdown' }));
    expect(bench.state('t1')).toBe('shutdown');
    expect(bench.node.containers).toEqual([]);
    await bench.worker.close();
  });

  test('a task removed while it starts leaves nothing behind', async () => {
    const bench = new WorkerBench({ startLatency: 500 });
    await bench.complete(assignment('t1'));
    await bench.complete();
    await bench.clock.advance(500);
    await bench.rest();
    expect(bench.node.containers).toEqual([]);
    await bench.worker.close();
  });
});

describe('an Engine that does not answer', () => {
  test('is asked again with growing pauses; the status says what it waits for', async () => {
    const bench = new WorkerBench();
    await bench.rest();
    bench.node.unreachable('connect ECONNREFUSED');
    await bench.complete(assignment('t1'));
    expect(bench.latest.get('t1')).toMatchObject({
      State: 'preparing',
      Err: 'the Docker Engine does not answer: connect ECONNREFUSED',
    });
    const asked = bench.node.calls.create + bench.node.calls.inspect;
    await bench.clock.advance(60_000);
    const retries = bench.node.calls.create + bench.node.calls.inspect - asked;
    expect(retries).toBeGreaterThan(5);
    expect(retries).toBeLessThan(25);
    bench.node.reachable();
    await bench.rest();
    expect(bench.state('t1')).toBe('running');
    expect(bench.latest.get('t1')).not.toHaveProperty('Err');
    expect(bench.node.containers).toHaveLength(1);
    await bench.worker.close();
  });

  test('leaves running tasks as they are; what happened meanwhile is seen at its return', async () => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1'), assignment('t2'));
    bench.node.unreachable('gone');
    bench.engine.kill('t2', 137);
    await bench.clock.advance(60_000);
    expect([bench.state('t1'), bench.state('t2')]).toEqual(['running', 'running']);
    bench.node.reachable();
    await bench.rest();
    expect([bench.state('t1'), bench.state('t2')]).toEqual(['running', 'failed']);
    await bench.worker.close();
  });
});

describe('an agent that starts again', () => {
  test('takes its containers over: none started again, none made twice', async () => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1'), assignment('t2'));
    const before = bench.node.containers;
    await bench.restart();
    await bench.complete(assignment('t1'), assignment('t2'));
    expect(bench.node.containers).toEqual(before);
    expect(bench.node.calls).toMatchObject({ create: 2, start: 2, stop: 0, remove: 0 });
    expect([bench.state('t1'), bench.state('t2')]).toEqual(['running', 'running']);
    await bench.worker.close();
  });

  test('tells the mesh nothing before it knows all of its containers', async () => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1'), assignment('t2'));
    const locals = bench.locals.at(-1);
    expect(locals).toHaveLength(2);
    await bench.restart();
    expect(bench.locals).toEqual([]);
    await bench.complete(assignment('t1'), assignment('t2'));
    expect(bench.locals).toEqual([locals]);
    await bench.worker.close();
  });

  test('tells how a container ended while it was away', async () => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1'), assignment('t2'));
    await bench.worker.close();
    bench.engine.kill('t1', 0);
    bench.engine.kill('t2', 1);
    await bench.restart();
    await bench.complete(assignment('t1'), assignment('t2'));
    expect([bench.state('t1'), bench.state('t2')]).toEqual(['complete', 'failed']);
    expect(bench.node.calls.start).toBe(2);
    await bench.worker.close();
  });

  test('a task whose container was removed while it was away has had its one run', async () => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1'));
    const status = bench.latest.get('t1');
    await bench.worker.close();
    bench.node.destroy('t1');
    await bench.restart();
    await bench.complete(assignment('t1', status === undefined ? {} : { status }));
    expect(bench.history.get('t1')).toEqual(['failed']);
    expect(bench.node.calls).toMatchObject({ create: 1, start: 1 });
    await bench.worker.close();
  });

  test('a task that still runs has nothing new to tell, so that the time since when it does stays', async () => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1'));
    const status = bench.latest.get('t1');
    await bench.restart();
    await bench.clock.advance(60_000);
    await bench.complete(assignment('t1', status === undefined ? {} : { status }));
    expect(status?.State).toBe('running');
    expect(bench.latest.has('t1')).toBe(false);
    await bench.worker.close();
  });

  test('goes on with a container that was created and not started', async () => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1', { desiredState: 'ready' }));
    await bench.restart();
    await bench.complete(assignment('t1'));
    expect(bench.state('t1')).toBe('running');
    expect(bench.node.calls).toMatchObject({ create: 1, start: 1 });
    await bench.worker.close();
  });

  test('touches no container before the manager has sent the whole set, then removes what nobody has', async () => {
    const bench = new WorkerBench();
    await bench.complete(assignment('t1'), assignment('t2'));
    await bench.restart();
    await bench.clock.advance(600_000);
    expect(bench.node.containers.map((container) => container.phase)).toEqual(['running', 'running']);
    await bench.complete(assignment('t1'));
    expect(bench.node.containers.map((container) => container.taskId)).toEqual(['t1']);
    await bench.worker.close();
  });
});

test('a node that leaves has no container left', async () => {
  const bench = new WorkerBench();
  await bench.complete(assignment('t1'), assignment('t2'));
  await bench.worker.close();
  await bench.worker.removeAll(new AbortController().signal);
  expect(bench.node.containers).toEqual([]);
  expect(bench.locals.at(-1)).toEqual([]);
});
