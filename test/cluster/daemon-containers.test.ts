import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import { DaemonApi } from '../support/daemon-api.js';
import { eventually } from '../support/eventually.js';
import { answerOf, readAll, readUntil } from '../support/socket-client.js';

const EXEC = 'e'.repeat(64);

let api: DaemonApi;
/** What the Engine was asked for, but for descriptions of containers. */
let asked: string[];
/** The `Connection` header of each of these. */
let connections: (string | undefined)[];
beforeEach(async () => {
  api = await DaemonApi.start();
  asked = [];
  connections = [];
});
afterEach(() => api.end());

/** A service with one task on the worker `w`, whose container the Engine knows by its id alone. */
async function taskOnWorker(): Promise<{
  readonly task: TaskDocument;
  readonly containerId: string;
  readonly nodeId: string;
}> {
  const { ID: nodeId } = await api.join('w');
  await api.create({
    Name: 'web',
    TaskTemplate: { ContainerSpec: { Image: 'image:1' }, Placement: { Constraints: [`node.id==${nodeId}`] } },
    Mode: { Replicated: { Replicas: 1 } },
  });
  const task = await eventually('a running task', async () =>
    (await api.tasks('web')).find(({ Status }) => Status.State === 'running'),
  );
  const containerId = task.Status.ContainerStatus?.ContainerID ?? '';
  const document = { Id: containerId, Config: { Labels: { 'com.docker.swarm.node.id': nodeId } } };
  api.cluster.engine.behave = (request, response) => {
    const url = request.url ?? '';
    if (request.method === 'GET' && url === `/containers/${containerId}/json`) send(response, 200, document);
    else if (url === `/exec/${EXEC}/json`) send(response, 200, { ID: EXEC, ContainerID: containerId, ExitCode: 3 });
    else if (url.endsWith('/json')) send(response, 404, { message: `No such container: ${url.split('/')[2] ?? ''}` });
    else answerVerb(request, response);
  };
  return { task, containerId, nodeId };
}

function answerVerb(request: IncomingMessage, response: ServerResponse): void {
  asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
  connections.push(request.headers.connection);
  if (request.url?.endsWith('/exec') === true) send(response, 201, { Id: EXEC });
  else if (request.url?.includes('/logs') === true) response.writeHead(200).write('first line\n');
  else send(response, 200, { Titles: ['PID'], Processes: [] });
}

function send(response: ServerResponse, status: number, document: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(document));
}

test('a request for a task on another node goes there, by any of its names', async () => {
  const { task, containerId, nodeId } = await taskOnWorker();
  for (const name of [`web.1.${task.ID}`, 'web.1', task.ID]) {
    expect([name, (await api.ask('GET', `/containers/${name}/top?ps_args=-ef`)).status]).toEqual([name, 200]);
  }
  expect(asked).toEqual(Array.from({ length: 3 }, () => `GET /containers/${containerId}/top?ps_args=-ef`));
  // The agent ends the connection: an Engine that did so behind an early answer would fail the last write of a body.
  expect(new Set(connections)).toEqual(new Set(['keep-alive']));
  const { text } = await api.ask('POST', '/v1.41/containers/web.1/exec', { body: { Cmd: ['sh'] } });
  expect(JSON.parse(text)).toEqual({ Id: `${EXEC}.${nodeId}` });
  expect(await api.get(`/exec/${EXEC}.${nodeId}/json`)).toMatchObject({ ID: `${EXEC}.${nodeId}`, ExitCode: 3 });
});

test('an exec on another node outlives a restart of the manager’s daemon', async () => {
  const { nodeId } = await taskOnWorker();
  const { text } = await api.ask('POST', '/containers/web.1/exec', { body: { Cmd: ['sh'] } });
  const { Id } = JSON.parse(text) as { Id: string };
  await api.manager.stop();
  await api.manager.start();
  await eventually(
    'the node to be connected again',
    async () => (await api.ask('GET', `/exec/${Id}/json`)).status === 200,
  );
  api.cluster.engine.upgrade = (_request, socket) => {
    socket.end('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nout');
  };
  const client = await api.manager.client.connect();
  client.write(
    `POST /exec/${EXEC}.${nodeId}/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}`,
  );
  expect(await readUntil(client, 'out')).toMatch(/^HTTP\/1.1 101 /);
  client.destroy();
});

test('a node that stops in the middle cuts the answer, and is named afterwards', async () => {
  await taskOnWorker();
  const answer = await answerOf(api.manager.client.open('/containers/web.1/logs?follow=1&stdout=1').end());
  await once(answer, 'data');
  const broken = expect(readAll(answer)).rejects.toThrow();
  await api.worker('w').stop();
  await broken;
  const { status, text } = await api.ask('GET', '/containers/web.1/top');
  expect([status, text]).toEqual([503, expect.stringMatching(/cannot reach web\.1\.\w{25} on node \S+: /)]);
});

test('a container of this machine is asked for at its own Engine, and a worker knows no others', async () => {
  await taskOnWorker();
  expect((await api.ask('GET', '/containers/box/top')).status).toBe(200);
  expect(asked).toEqual(['GET /containers/box/top']);
  await api.worker('w').client.ask('/containers/web.1/top');
  expect(asked[1]).toBe('GET /containers/web.1/top');
});
