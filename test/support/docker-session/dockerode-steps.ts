import type DockerApi from 'dockerode';
import type { NodeDocument } from '../../../proto/engine/node-document.js';
import type { PayloadDocument } from '../../../proto/engine/payload-document.js';
import type { ServiceDocument } from '../../../proto/engine/service-document.js';
import type { SwarmDocument } from '../../../proto/engine/swarm-document.js';
import type { TaskDocument } from '../../../proto/engine/task-document.js';
import { eventually } from '../eventually.js';
import { TEST_IMAGE } from '../test-image.js';
import type { Outcome } from './outcomes.js';

export interface DockerodeSide {
  readonly manager: DockerApi;
  readonly worker: DockerApi;
  /** The manager's cluster address. */
  readonly address: string;
  /** The worker's. */
  readonly own: string;
  readonly publishedPort: number;
}

/** dockerode's types leave most answers open; `T` is what the Engine API defines for the call. */
const answer = async <T>(call: Promise<unknown>): Promise<T> => (await call) as T;

const filters = (map: Readonly<Record<string, readonly string[]>>): string => JSON.stringify(map);

/** One session of dockerode against one swarm; what came of each step. */
export async function dockerodeSession(side: DockerodeSide): Promise<readonly Outcome[]> {
  const { manager, worker, address, own } = side;
  const outcomes: Outcome[] = [];
  const step = async (name: string, call: () => Promise<unknown>): Promise<void> => {
    const outcome = await call().then(
      (returned) => ({ returned }),
      (error: unknown) => ({
        status: error instanceof Error && 'statusCode' in error ? error.statusCode : undefined,
        words: error instanceof Error ? error.message : String(error),
      }),
    );
    outcomes.push([name, outcome]);
  };
  const tasks = (map: Readonly<Record<string, readonly string[]>>): Promise<readonly TaskDocument[]> =>
    answer(manager.listTasks({ filters: filters(map) }));
  const running = (count: number): Promise<boolean> =>
    eventually(`${count} tasks`, async () => {
      const all = await tasks({ service: ['talk'], 'desired-state': ['running'] });
      return all.filter(({ Status }) => Status.State === 'running').length === count;
    });
  const nodes = (): Promise<readonly NodeDocument[]> => answer(manager.listNodes());
  const named = async (hostname: string): Promise<NodeDocument> => {
    const node = (await nodes()).find(({ Description }) => Description.Hostname === hostname);
    if (node === undefined) throw new Error(`no node ${hostname}`);
    return node;
  };

  await step('services without a swarm', () => manager.listServices());
  await step('leave without a swarm', () => manager.swarmLeave({}));
  await step('init', () => manager.swarmInit({ AdvertiseAddr: address, ListenAddr: address }));
  await step('init again', () => manager.swarmInit({ AdvertiseAddr: address, ListenAddr: address }));
  const { JoinTokens } = await answer<SwarmDocument>(manager.swarmInspect());
  const join = { RemoteAddrs: [address], ListenAddr: own, AdvertiseAddr: own };
  await step('join with a wrong token', () => worker.swarmJoin({ ...join, JoinToken: 'SWMTKN-1-wrong' }));
  await step('join', () => worker.swarmJoin({ ...join, JoinToken: JoinTokens?.Worker }));
  await step('join again', () => worker.swarmJoin({ ...join, JoinToken: JoinTokens?.Worker }));
  await eventually(
    'two nodes',
    async () => (await nodes()).filter(({ Status }) => Status.State === 'ready').length === 2,
  );
  await step('swarm', async () => (await answer<SwarmDocument>(manager.swarmInspect())).Spec);
  await step('swarm update', async () => {
    const swarm = await answer<SwarmDocument>(manager.swarmInspect());
    return manager.swarmUpdate({ version: swarm.Version.Index, rotateWorkerToken: true, ...swarm.Spec });
  });
  await step('nodes', async () =>
    (await nodes()).map(({ Description, Spec, Status }) => [Description.Hostname, Spec, Status.State]).sort(),
  );
  await step('nodes of a worker', () => worker.listNodes());
  await step(
    'workers',
    async () =>
      (await answer<readonly unknown[]>(manager.listNodes({ filters: filters({ role: ['worker'] }) }))).length,
  );
  await step('label a node', async () => {
    const { ID, Version, Spec } = await named('h2');
    await manager.getNode(ID).update({ ...Spec, version: Version.Index, Labels: { zone: 'a' } });
    return (await named('h2')).Spec;
  });
  await step('remove a node that is up', async () => manager.getNode((await named('h2')).ID).remove({}));
  await step('node nowhere', () => manager.getNode('nowhere').inspect());

  const data = Buffer.from('s3cr3t').toString('base64');
  const payloads = { secret: 'getSecret', config: 'getConfig' } as const;
  for (const [noun, get] of Object.entries(payloads)) {
    const create = (Name: string): Promise<unknown> => {
      const body = { Name, Labels: { k: 'v' }, Data: data };
      return noun === 'secret' ? manager.createSecret(body) : manager.createConfig(body);
    };
    const list = (map: Readonly<Record<string, readonly string[]>>): Promise<readonly PayloadDocument[]> =>
      answer(
        noun === 'secret'
          ? manager.listSecrets({ filters: filters(map) })
          : manager.listConfigs({ filters: filters(map) }),
      );
    const inspect = (name: string): Promise<PayloadDocument> => answer(manager[get](name).inspect());
    await step(`${noun} create`, async () => {
      await create('one');
      return (await inspect('one')).Spec;
    });
    await step(`${noun} twice`, () => create('one'));
    await step(`${noun} bad name`, () => create('b ad'));
    await step(`${noun} list`, async () => (await list({ name: ['one'] })).map(({ Spec }) => Spec));
    await step(`${noun} wrong filter`, () => list({ shoe: ['size'] }));
    await step(`${noun} update`, async () => {
      const { ID, Version, Spec } = await inspect('one');
      await manager[get](ID).update({ ...Spec, version: Version.Index, Labels: { k: 'w' } });
      return (await inspect('one')).Spec;
    });
    await step(`${noun} other data`, async () => {
      const { ID, Version, Spec } = await inspect('one');
      return manager[get](ID).update({ ...Spec, version: Version.Index, Data: Buffer.from('x').toString('base64') });
    });
    await step(`${noun} nowhere`, () => inspect('nowhere'));
    await step(`${noun} remove`, () => manager[get]('one').remove());
    await step(`${noun} remove again`, () => manager[get]('one').remove());
  }

  await step('create', () =>
    manager
      .createService({
        Name: 'talk',
        Labels: { x: 'y' },
        TaskTemplate: {
          ContainerSpec: {
            Image: TEST_IMAGE,
            Command: ['sh', '-c', 'echo one; echo two; exec sleep 1000'],
            Env: ['A=b'],
          },
          Placement: { Constraints: ['node.hostname==h2'] },
        },
        Mode: { Replicated: { Replicas: 1 } },
        EndpointSpec: { Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: side.publishedPort }] },
      })
      .then(({ id }) => id),
  );
  await running(1);
  await step('service', async () => {
    const { Spec, Endpoint } = await answer<ServiceDocument>(manager.getService('talk').inspect());
    return [Spec, Endpoint?.Ports];
  });
  await step('services', async () =>
    (await answer<readonly ServiceDocument[]>(manager.listServices({ filters: { label: ['x=y'] } }))).map(
      ({ Spec }) => Spec.Name,
    ),
  );
  await step('create twice', () =>
    manager.createService({ Name: 'talk', TaskTemplate: { ContainerSpec: { Image: TEST_IMAGE } } }),
  );
  await step('service nowhere', () => manager.getService('nowhere').inspect());
  await step('tasks', async () =>
    (await tasks({ service: ['talk'] })).map(({ Spec, Slot, DesiredState, Status }) => [
      Spec,
      Slot,
      DesiredState,
      Status.State,
    ]),
  );
  await step('task', async () => {
    const [task] = await tasks({ service: ['talk'] });
    return (await answer<TaskDocument>(manager.getTask(task?.ID ?? '').inspect())).ID === task?.ID;
  });
  await step('task nowhere', () => manager.getTask('nowhere').inspect());
  const logs = async (): Promise<string> => {
    const log: unknown = await manager.getService('talk').logs({ stdout: true, stderr: true, follow: false });
    if (!Buffer.isBuffer(log)) throw new Error('logs that do not follow are no buffer');
    return log.toString('latin1');
  };
  await eventually('both lines', async () => (await logs()).includes('two'));
  await step('logs', logs);
  await step('scale', async () => {
    const { Spec, Version } = await answer<ServiceDocument>(manager.getService('talk').inspect());
    return manager
      .getService('talk')
      .update({ ...Spec, version: Version.Index, Mode: { Replicated: { Replicas: 2 } } });
  });
  await running(2);
  await step('stale', () =>
    manager
      .getService('talk')
      .update({ Name: 'talk', version: 1, TaskTemplate: { ContainerSpec: { Image: TEST_IMAGE } } }),
  );
  await step('remove', () => manager.getService('talk').remove());
  await step('remove again', () => manager.getService('talk').remove());
  await step('worker leaves', () => worker.swarmLeave({}));
  await step('leave', () => manager.swarmLeave({}));
  await step('leave by force', () => manager.swarmLeave({ force: true }));
  return outcomes;
}
