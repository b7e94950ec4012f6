import DockerApi from 'dockerode';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeDocument } from '../../proto/engine/node-document.js';
import type { SwarmDocument } from '../../proto/engine/swarm-document.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { ask } from '../support/swarm-session.js';
import { TEST_IMAGE } from '../support/test-image.js';

const PORT = 8095;

/** What a refused call threw: the status and text that programs match on. */
const refusal = (call: Promise<unknown>): Promise<{ statusCode: unknown; message: string }> =>
  call.then(
    () => {
      throw new Error('the call was not refused');
    },
    (error: unknown) => {
      if (!(error instanceof Error)) throw new Error('dockerode threw something that is no error');
      return { statusCode: 'statusCode' in error ? error.statusCode : undefined, message: error.message };
    },
  );

/** dockerode's types leave most answers open; `T` is what the Engine API defines for the call. */
const answer = async <T>(call: Promise<unknown>): Promise<T> => (await call) as T;

const filters = (map: Readonly<Record<string, readonly string[]>>): string => JSON.stringify(map);

describe('dockerode, unmodified', () => {
  let hosts: Hosts;
  let manager: DockerApi;
  let worker: DockerApi;

  beforeAll(async () => {
    hosts = await startHosts(2);
    manager = new DockerApi({ socketPath: hosts.host(1).baleSocket });
    worker = new DockerApi({ socketPath: hosts.host(2).baleSocket });
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
  });

  const runningTasks = (count: number): Promise<readonly TaskDocument[]> =>
    eventually(`${count} running tasks`, async () => {
      const tasks = await answer<readonly TaskDocument[]>(
        manager.listTasks({ filters: filters({ service: ['page'], 'desired-state': ['running'] }) }),
      );
      return tasks.length === count && tasks.every(({ Status }) => Status.State === 'running') ? tasks : undefined;
    });

  test('a node in no swarm answers with the status of Docker Engine', async () => {
    expect(await refusal(manager.listServices())).toMatchObject({
      statusCode: 503,
      message: expect.stringContaining('This node is not a swarm manager') as string,
    });
  });

  test('makes a swarm of two nodes', async () => {
    const { address } = hosts.host(1);
    const id: unknown = await manager.swarmInit({ AdvertiseAddr: address, ListenAddr: `${address}:2377` });
    expect(id).toMatch(/^[0-9a-z]{25}$/);
    const { JoinTokens } = await answer<SwarmDocument>(manager.swarmInspect());
    await worker.swarmJoin({ RemoteAddrs: [`${address}:2377`], JoinToken: JoinTokens?.Worker });
    const nodes = await answer<readonly NodeDocument[]>(manager.listNodes());
    expect(nodes.map(({ Spec, Description }) => [Description.Hostname, Spec.Role]).sort()).toEqual([
      ['h1', 'manager'],
      ['h2', 'worker'],
    ]);
    const workers = await answer<readonly NodeDocument[]>(
      manager.listNodes({ filters: filters({ role: ['worker'] }) }),
    );
    expect(workers.map(({ Description }) => Description.Hostname)).toEqual(['h2']);
    expect(await answer(manager.getNode(workers[0]?.ID ?? '').inspect())).toMatchObject({ Status: { State: 'ready' } });
    expect(await manager.info()).toMatchObject({
      Swarm: { LocalNodeState: 'active', Nodes: 2, ControlAvailable: true },
    });
  });

  test('creates a service that answers on both nodes', async () => {
    const service = await manager.createService({
      Name: 'page',
      Labels: { tier: 'front' },
      TaskTemplate: { ContainerSpec: { Image: TEST_IMAGE, Env: ['A=b'] } },
      Mode: { Replicated: { Replicas: 2 } },
      EndpointSpec: { Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: PORT }] },
    });
    expect(service.id).toMatch(/^[0-9a-z]{25}$/);
    await runningTasks(2);
    for (const { address } of hosts.all) {
      await eventually(`the page on ${address}`, async () => (await ask(address, PORT)).status === 200);
    }
  });

  test('lists and inspects it with filters', async () => {
    const named = await manager.listServices({ filters: { name: ['page'], label: ['tier=front'] } });
    expect(named).toHaveLength(1);
    expect(await manager.listServices({ filters: { name: ['other'] } })).toEqual([]);
    expect(await manager.listServices({ filters: JSON.stringify({ name: { page: true } }) })).toHaveLength(1);
    const document: unknown = await manager.getService('page').inspect();
    expect(document).toMatchObject({
      Spec: { Name: 'page', TaskTemplate: { ContainerSpec: { Image: TEST_IMAGE, Env: ['A=b'] } } },
      Endpoint: { Ports: [{ PublishedPort: PORT, TargetPort: 80 }] },
    });
    const [task] = await runningTasks(2);
    expect(await manager.getTask(task?.ID ?? '').inspect()).toMatchObject({
      ID: task?.ID,
      Status: { State: 'running' },
    });
    expect((await refusal(manager.listTasks({ filters: filters({ color: ['red'] }) }))).statusCode).toBe(400);
  });

  test('updates the number of replicas, read, modify and write', async () => {
    const service = manager.getService('page');
    const { Spec, Version } = await answer<ServiceDocument>(service.inspect());
    await service.update({ ...Spec, Mode: { Replicated: { Replicas: 3 } }, version: Version.Index });
    await runningTasks(3);
    const stale = await refusal(
      service.update({ ...Spec, Mode: { Replicated: { Replicas: 9 } }, version: Version.Index }),
    );
    expect(stale.message).toContain('update out of sequence');
    await runningTasks(3);
  });

  test('is told the status and the field of what is refused', async () => {
    const spec = { TaskTemplate: { ContainerSpec: { Image: TEST_IMAGE } } };
    expect((await refusal(manager.createService({ ...spec, Name: 'page' }))).statusCode).toBe(409);
    const { TaskTemplate } = spec;
    const networks = { ...spec, Name: 'net', TaskTemplate: { ...TaskTemplate, Networks: [{ Target: 'backend' }] } };
    expect(await refusal(manager.createService(networks))).toMatchObject({
      statusCode: 501,
      message: expect.stringContaining('TaskTemplate.Networks') as string,
    });
    expect((await refusal(manager.getService('nowhere').inspect())).statusCode).toBe(404);
    expect((await refusal(worker.listNodes())).statusCode).toBe(503);
    expect(await manager.listServices()).toHaveLength(1);
  });

  test('reaches the containers of the Engine through the same socket', async () => {
    const containers = await manager.listContainers({ filters: { label: ['com.docker.swarm.service.name=page'] } });
    expect(containers.length).toBeGreaterThan(0);
    const exec = await manager
      .getContainer(containers[0]?.Id ?? '')
      .exec({ Cmd: ['hostname'], AttachStdout: true, AttachStderr: true });
    const stream = await exec.start({ hijack: true });
    let output = '';
    stream.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')));
    await new Promise((resolve) => stream.once('end', resolve));
    expect(output).toContain(containers[0]?.Id.slice(0, 12));
  });

  test('removes the service, and leaves', async () => {
    await manager.getService('page').remove();
    expect(await manager.listServices()).toEqual([]);
    await eventually('its containers to be gone', async () => {
      const lists = await Promise.all([manager, worker].map((api) => api.listContainers({ all: true })));
      return lists.flat().length === 0;
    });
    await worker.swarmLeave({});
    expect((await refusal(manager.swarmLeave({}))).message).toContain('--force');
    await manager.swarmLeave({ force: true });
    expect(await manager.info()).toMatchObject({ Swarm: { LocalNodeState: 'inactive' } });
  });
});
