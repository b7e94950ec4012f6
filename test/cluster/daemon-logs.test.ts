import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../../cli/main.js';
import { DaemonApi, refusalOf } from '../support/daemon-api.js';
import { eventually } from '../support/eventually.js';
import { LoggedContainer, serveLogs } from '../support/log-engine.js';
import { serviceBody } from '../support/service-body.js';
import { answerOf } from '../support/socket-client.js';

/** One manager on a real socket with a service of one task that has said two things. */
let api: DaemonApi;
let container: LoggedContainer;
let taskId: string;
let nodeId: string;

beforeAll(async () => {
  api = await DaemonApi.start();
  await api.create({ Name: 'web', Mode: { Replicated: { Replicas: 1 } } });
  const task = await eventually('a running task', async () =>
    (await api.tasks('web')).find(({ Status }) => Status.State === 'running'),
  );
  taskId = task.ID;
  nodeId = task.NodeID ?? '';
  container = new LoggedContainer(nodeId);
  container.write('hello', Date.parse('2026-01-01T00:00:00.000Z'));
  container.write('problem', Date.parse('2026-01-01T00:00:01.000Z'), 'stderr');
  serveLogs(api.cluster.engine, new Map([[task.Status.ContainerStatus?.ContainerID ?? '', container]]));
});
afterAll(() => api.end());

const STREAMS = 'stdout=1&stderr=1';
const FRAMES = '\u0001\0\0\0\0\0\0\u0006hello\n\u0002\0\0\0\0\0\0\bproblem\n';

describe('logs over the API', () => {
  test.each(['services/web', 'tasks/TASK'])('GET /%s/logs is a multiplexed answer', async (path) => {
    const { status, text } = await api.ask('GET', `/${path.replace('TASK', taskId)}/logs?${STREAMS}`);
    expect({ status, text }).toEqual({ status: 200, text: FRAMES });
  });

  test.each([
    ['/v1.41', 'raw'],
    ['/v1.24', 'raw'],
    ['', 'raw'],
  ])('under the version %s its type is %s', async (version, type) => {
    const { headers } = await api.ask('GET', `${version}/services/web/logs?stdout=1`);
    expect(headers).toMatchObject({ 'content-type': `application/vnd.docker.${type}-stream`, 'api-version': '1.41' });
  });

  test.each<[string, number, string]>([
    ['/services/web/logs', 400, 'Bad parameters: you must choose at least one stream'],
    ['/services/web/logs?stdout=false', 400, 'Bad parameters: you must choose at least one stream'],
    ['/services/web/logs?stdout=1&tail=x', 400, 'tail value must be a positive integer or "all"'],
    ['/tasks/TASK/logs?stdout=1&tail=-1', 400, 'negative tail values not supported'],
    ['/services/none/logs?stdout=1', 404, 'service none not found'],
    ['/tasks/none/logs?stdout=1', 404, 'task none not found'],
  ])('GET %s is refused with %s', async (path, status, message) => {
    expect(refusalOf(await api.ask('GET', path.replace('TASK', taskId)))).toEqual({ status, message });
  });

  test('a head comes at once although the log is silent, and a client that leaves is let go', async () => {
    const call = api.manager.client.open('/services/web/logs?follow=1&stdout=1&tail=0');
    call.end();
    const answer = await answerOf(call);
    expect(answer.statusCode).toBe(200);
    await eventually('a follower', () => Promise.resolve(container.followers.size === 1));
    const [follower] = container.followers;
    const closed = follower === undefined ? Promise.reject(new Error('nobody follows')) : once(follower, 'close');
    answer.destroy();
    await closed;
  });
});

describe('logs on the command line', () => {
  async function bale(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    let out = '';
    let err = '';
    const code = await runCli(['-H', `unix://${api.manager.options.socket}`, ...args], {
      print: (text) => (out += text),
      warn: (text) => (err += text),
      terminal: undefined,
    });
    return { code, out, err };
  }

  test.each([
    ['service', 'web'],
    ['service', 'TASK'],
    ['task', 'TASK'],
    ['task', 'web'],
  ])('bale %s logs %s', async (noun, target) => {
    const [node] = await api.nodes();
    const name = `web.1.${taskId.slice(0, 12)}@${node?.Description.Hostname ?? ''}`;
    expect(await bale(noun, 'logs', target.replace('TASK', taskId))).toEqual({
      code: 0,
      out: `${name}    | hello\n`,
      err: `${name}    | problem\n`,
    });
  });

  test('with times, without names', async () => {
    const service = (await api.service('web')).ID;
    expect(await bale('service', 'logs', '-t', '--no-resolve', '--no-task-ids', '--tail', '2', 'web')).toMatchObject({
      out: `2026-01-01T00:00:00.000000000Z ${service}.1@${nodeId}    | hello\n`,
    });
    expect((await bale('service', 'logs', '--raw', '--since', '2026-01-01T00:00:01Z', 'web')).err).toBe('problem\n');
  });

  test('of what is not there', async () => {
    expect(await bale('service', 'logs', 'none')).toEqual({
      code: 1,
      out: '',
      err: 'no such task or service: none\n',
    });
  });

  test('of what cannot be read', async () => {
    container.refusal = { status: 500, message: 'configured logging driver does not support reading' };
    expect(await bale('service', 'logs', 'web')).toEqual({
      code: 1,
      out: '',
      err: `error from daemon in stream: Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream. some logs could not be retrieved for the following reasons: task ${taskId}: configured logging driver does not support reading\n`,
    });
    container.refusal = undefined;
  });

  test('of a terminal only raw', async () => {
    const TaskTemplate = { ContainerSpec: { Image: 'i', TTY: true } };
    await api.ask('POST', '/services/create', { body: serviceBody({ Name: 'tty', TaskTemplate }) });
    expect((await bale('service', 'logs', 'tty')).err).toBe('tty service logs only supported with --raw\n');
  });
});
