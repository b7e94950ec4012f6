import { describe, expect, test } from 'vitest';
import { containerRoute } from '../../../daemon/container-route.js';
import { containerTarget, type ContainerTarget } from '../../../daemon/container-target.js';
import type { TaskContainer, TaskContainerMatch } from '../../../manager/containers/task-containers.js';

const OWN = 'own';
const ID = 'c'.repeat(64);
const EXEC = 'e'.repeat(64);
const NODE = 'n'.repeat(25);

const container = (fields: Partial<TaskContainer> = {}): TaskContainer => ({
  ...{ by: 'name', taskId: 't', name: 'web.1.t', node: { id: NODE, hostname: 'h2' }, containerId: ID },
  ...{ state: 'running', ended: false, reason: 'started' },
  ...fields,
});

const decide = (method: string, url: string, found: Partial<TaskContainer> | TaskContainerMatch): ContainerTarget => {
  const route = containerRoute(method, url);
  if (route === undefined) throw new Error('no route');
  const match = 'kind' in found ? found : { kind: 'container' as const, container: container(found) };
  return containerTarget(route, () => match, OWN);
};

describe('the route of a request', () => {
  test.each([
    ['GET', '/containers/web.1/json', 'inspect', 'web.1'],
    ['GET', '/v1.41/containers/web.1/logs?follow=1', 'logs', 'web.1'],
    ['GET', '/containers/web.1/top', 'top', 'web.1'],
    ['GET', '/containers/web.1/stats', 'stats', 'web.1'],
    ['GET', '/containers/web.1/archive?path=/x', 'archive', 'web.1'],
    ['HEAD', '/containers/web.1/archive?path=/x', 'archive', 'web.1'],
    ['PUT', '/containers/web.1/archive?path=/x', 'archive', 'web.1'],
    ['POST', '/containers/a%20b/exec', 'exec', 'a b'],
    ['POST', '/containers/web.1/attach?stream=1', 'attach', 'web.1'],
    ['POST', '/containers/web.1/resize', 'resize', 'web.1'],
    ['POST', '/containers/web.1/wait', 'wait', 'web.1'],
    ['POST', '/containers/web.1/kill', 'kill', 'web.1'],
    ['POST', '/exec/x/start', 'exec-start', 'x'],
    ['POST', '/exec/x/resize', 'exec-resize', 'x'],
    ['GET', '/v1.24/exec/x/json', 'exec-inspect', 'x'],
  ])('%s %s', (method, url, verb, reference) => {
    const route = containerRoute(method, url);
    expect([route?.verb, route?.reference]).toEqual([verb, reference]);
  });

  test.each([
    ['GET', '/containers/json'],
    ['GET', '/containers/web.1/export'],
    ['DELETE', '/containers/web.1'],
    ['POST', '/containers/web.1/stop'],
    ['POST', '/containers/web.1/json'],
    ['GET', '/containers//json'],
    ['GET', '/containers/web.1/json/more'],
    ['GET', '/containers/%ff/json'],
    ['GET', '/images/web.1/json'],
    ['GET', '/exec/x/start'],
    ['GET', '/containers/web.1/constructor'],
  ])('%s %s is the Engine’s alone', (method, url) => {
    expect(containerRoute(method, url)).toBeUndefined();
  });

  test('keeps version and query for another id', () => {
    expect(containerRoute('GET', '/v1.41/containers/a/logs?tail=5&follow=1')?.urlFor(ID)).toBe(
      `/v1.41/containers/${ID}/logs?tail=5&follow=1`,
    );
  });
});

describe('who answers', () => {
  test.each<[string, string, string, Partial<TaskContainer> | TaskContainerMatch]>([
    ['what is no task', 'GET', '/containers/x/json', { kind: 'none' }],
    ['a task of this node by its name', 'POST', '/containers/web.1.t/exec', { node: { id: OWN, hostname: 'h1' } }],
    [
      'a task of this node by the id of its container',
      'GET',
      `/containers/${ID}/json`,
      { by: 'container-id', node: { id: OWN, hostname: 'h1' } },
    ],
    ['inspect of the id of a task, which shall show the task', 'GET', '/containers/t/json', { by: 'task-id' }],
    ['an exec of the Engine', 'POST', `/exec/${EXEC}/start`, { kind: 'none' }],
    ['an exec with more behind it than a node', 'POST', `/exec/${EXEC}.${NODE}.x/start`, { kind: 'none' }],
  ])('the local Engine: %s', (_what, method, url, found) => {
    expect(decide(method, url, found)).toEqual({ kind: 'engine' });
  });

  test.each<[string, string, string, Partial<TaskContainer>, boolean]>([
    ['by its name, unless the Engine has one of that name', 'POST', '/containers/web.1.t/exec', {}, true],
    ['by its slot', 'GET', '/containers/web.1/json', { by: 'slot' }, true],
    ['by its task', 'POST', '/containers/t/exec', { by: 'task-id' }, true],
    ['by the whole id of its container', 'GET', `/containers/${ID}/json`, { by: 'container-id' }, false],
    ['by the beginning of it', 'GET', `/containers/${ID.slice(0, 12)}/json`, { by: 'container-id' }, true],
    [
      'by its slot when it is on this node',
      'GET',
      '/containers/web.1/top',
      { by: 'slot', node: { id: OWN, hostname: 'h1' } },
      true,
    ],
    ['ended: its logs', 'GET', '/containers/web.1/logs', { by: 'slot', ended: true, state: 'failed' }, true],
    ['ended: its files', 'GET', '/containers/web.1/archive', { by: 'slot', ended: true, state: 'failed' }, true],
  ])('the node of the task: %s', (_what, method, url, found, askEngineFirst) => {
    const target = decide(method, url, found);
    const verb = url.split('/').at(-1) ?? '';
    expect(target).toMatchObject({ kind: 'node', url: `/containers/${ID}/${verb}`, askEngineFirst });
  });

  test('the node that the id of an exec names', () => {
    expect(decide('POST', `/v1.41/exec/${EXEC}.${NODE}/start`, { kind: 'none' })).toMatchObject({
      kind: 'node',
      nodeId: NODE,
      url: `/v1.41/exec/${EXEC}/start`,
      askEngineFirst: false,
    });
  });

  const refusal = (target: ContainerTarget): readonly unknown[] =>
    target.kind === 'refused' ? [target.error.kind, target.error.code, target.error.message] : [target.kind];

  test('nobody: a task that waits says for what', () => {
    const {
      node: _node,
      containerId: _id,
      ...waiting
    } = container({
      state: 'pending',
      reason: 'no suitable node (insufficient memory on 3 nodes)',
    });
    expect(refusal(decide('POST', '/containers/web.1/exec', { kind: 'container', container: waiting }))).toEqual([
      'conflict',
      'BALE_TASK_NO_CONTAINER',
      'task web.1.t has no container: it is pending: no suitable node (insufficient memory on 3 nodes)',
    ]);
  });

  test.each(['exec', 'attach', 'resize', 'kill'])('nobody: %s of an ended task says how it ended', (verb) => {
    const ended = { state: 'failed', ended: true, reason: 'task: non-zero exit (3)' } as const;
    expect(refusal(decide('POST', `/containers/web.1.t/${verb}`, ended))).toEqual([
      'conflict',
      'BALE_TASK_NOT_RUNNING',
      'Container web.1.t is not running: its task on node h2 is failed: task: non-zero exit (3)',
    ]);
  });

  test('nobody: a name of several', () => {
    const several: TaskContainerMatch = { kind: 'ambiguous', names: ['web.1.t', 'web.2.u'] };
    expect(refusal(decide('GET', '/containers/abcdefabcdef/json', several))).toEqual([
      'invalid',
      'BALE_AMBIGUOUS',
      'abcdefabcdef is ambiguous: it fits web.1.t, web.2.u; give more of the id',
    ]);
  });
});
