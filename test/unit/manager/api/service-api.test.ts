import { beforeEach, describe, expect, it } from 'vitest';
import type { ServiceDocument } from '../../../../proto/engine/service-document.js';
import { caught, caughtAsync } from '../../../support/caught.js';
import { serviceBody } from '../../../support/service-body.js';
import { draftTask } from '../../../support/stored-objects.js';
import { MANAGER_ID, openTestApi, type TestApi } from '../../../support/test-api.js';

const SPEC_OF_WEB = {
  Name: 'web',
  Labels: {},
  TaskTemplate: {
    ContainerSpec: { Image: 'bb:1', Args: ['sleep', '1000000'], Init: false, DNSConfig: {}, Isolation: 'default' },
    Resources: { Limits: {}, Reservations: {} },
    Placement: {},
    ForceUpdate: 0,
    Runtime: 'container',
  },
  Mode: { Replicated: { Replicas: 2 } },
  EndpointSpec: { Mode: 'vip' },
};

const ID = /^[0-9a-z]{25}$/;
const published = (PublishedPort: number, PublishMode = 'ingress') => ({
  EndpointSpec: { Ports: [{ TargetPort: 80, PublishedPort, PublishMode }] },
});

let test: TestApi;
beforeEach(async () => {
  test = await openTestApi();
});

const create = (over: Record<string, unknown> = {}): Promise<string> =>
  test.api.createService(serviceBody(over)).then(({ ID: id }) => id);
/** A copy, as a client has it. */
const get = (id: string, insertDefaults = false): ServiceDocument =>
  JSON.parse(JSON.stringify(test.api.service(id, insertDefaults))) as ServiceDocument;
const update = (id: string, version: number | string | undefined, body: unknown, rollback?: string) =>
  test.api.updateService(id, version === undefined ? undefined : String(version), body, { rollback });

describe('creating a service', () => {
  it('answers with its id alone, and shows it in the shape of the Engine', async () => {
    const answer = await test.api.createService(serviceBody());
    expect(Object.keys(answer)).toEqual(['ID']);
    expect(answer.ID).toMatch(ID);
    const { Version, ...shown } = get(answer.ID);
    expect(Version.Index).toBeGreaterThan(0);
    expect(shown).toEqual({
      ID: answer.ID,
      CreatedAt: '2026-01-01T00:00:00.000Z',
      UpdatedAt: '2026-01-01T00:00:00.000Z',
      Spec: SPEC_OF_WEB,
      Endpoint: { Spec: {} },
    });
  });

  it('makes up a name of its own for each service without one', async () => {
    const names = new Set<string>();
    for (let made = 0; made < 20; made += 1) names.add(get(await create({ Name: '' })).Spec.Name);
    expect(names.size).toBe(20);
    for (const name of names) expect(name).toMatch(/^[a-z]+_[a-z]+\d*$/);
  });

  it('refuses a name that is taken', async () => {
    await create();
    expect(await caughtAsync(create())).toEqual({
      kind: 'conflict',
      code: 'BALE_NAME_CONFLICT',
      message:
        'rpc error: code = AlreadyExists desc = name conflicts with an existing object: service web already exists',
    });
    expect(test.store.view.count('service')).toBe(1);
  });

  it('lets one of two at once have a name, and one of two a port', async () => {
    const twins = await Promise.allSettled([create(), create()]);
    expect(twins.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const others = await Promise.allSettled([
      create({ Name: 'a', ...published(80) }),
      create({ Name: 'b', ...published(80) }),
    ]);
    expect(others.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(test.store.view.count('service')).toBe(2);
  });

  it('allots published ports and shows them', async () => {
    const id = await create({
      EndpointSpec: { Ports: [{ TargetPort: 80 }, { TargetPort: 81, PublishedPort: 8081 }] },
    });
    const asked = [
      { Protocol: 'tcp', TargetPort: 80, PublishMode: 'ingress' },
      { Protocol: 'tcp', TargetPort: 81, PublishedPort: 8081, PublishMode: 'ingress' },
    ];
    expect(get(id).Endpoint).toEqual({
      Spec: { Mode: 'vip', Ports: asked },
      Ports: [{ ...asked[0], PublishedPort: 30_000 }, asked[1]],
    });
    expect(get(id).Spec.EndpointSpec).toEqual({ Mode: 'vip', Ports: asked });
  });

  it('refuses a port that is in use, naming by whom', async () => {
    const first = await create(published(80));
    expect(await caughtAsync(create({ Name: 'other', ...published(80) }))).toEqual({
      kind: 'invalid',
      code: 'BALE_PORT_IN_USE',
      message: `rpc error: code = InvalidArgument desc = port '80' is already in use by service 'web' (${first}) as an ingress port`,
    });
    expect(test.store.view.count('service')).toBe(1);
  });

  it('changes nothing when the spec is wrong', async () => {
    const { index } = test.store.view;
    await expect(create({ TaskTemplate: { ContainerSpec: { Image: '' } } })).rejects.toThrow('image reference');
    await expect(create({ EndpointSpec: { Mode: 'dnsrr' } })).rejects.toMatchObject({ code: 'BALE_NOT_IMPLEMENTED' });
    expect(test.store.view.index).toBe(index);
  });
});

describe('showing services', () => {
  it('finds one by id, by name and by the beginning of its id', async () => {
    const id = await create();
    for (const wanted of [id, 'web', id.slice(0, 8)]) expect(test.api.service(wanted, false).ID).toBe(id);
  });

  it('does not find one by the beginning of its name, nor one that is not there', async () => {
    await create();
    for (const wanted of ['we', 'nosuch', '']) {
      expect(caught(() => test.api.service(wanted, false))).toEqual({
        kind: 'not-found',
        code: 'BALE_NOT_FOUND',
        message: `service ${wanted} not found`,
      });
    }
  });

  it('prefers a name to the beginning of an id, and says when that is ambiguous', async () => {
    const put = (id: string, Name: string) =>
      test.write((tx) => tx.put('service', { id, spec: { ...get('web').Spec, Name }, ports: [] }));
    await create();
    await put('abc1', 'x');
    await put('abc2', 'y');
    await put('zzz', 'abc');
    expect(test.api.service('abc', false).ID).toBe('zzz');
    expect(caught(() => test.api.service('ab', false))).toEqual({
      kind: 'invalid',
      code: 'BALE_AMBIGUOUS',
      message: 'service ab is ambiguous (2 matches found)',
    });
  });

  it('inserts defaults when asked', async () => {
    const id = await create();
    expect(get(id, true).Spec).toMatchObject({
      TaskTemplate: {
        ContainerSpec: { StopGracePeriod: 10e9 },
        RestartPolicy: { Condition: 'any', Delay: 5e9, MaxAttempts: 0 },
      },
      RollbackConfig: { Parallelism: 1 },
    });
    expect(get(id).Spec).toEqual(SPEC_OF_WEB);
  });

  it('lists them by id, with status only when asked', async () => {
    const ids = [await create({ Name: 'a' }), await create({ Name: 'b' }), await create({ Name: 'c' })].sort();
    const listed = test.api.services({}, false);
    expect(listed.map(({ ID: id }) => id)).toEqual(ids);
    expect(listed.every((service) => service.ServiceStatus === undefined)).toBe(true);
  });

  it('counts what was observed to run, whatever is desired', async () => {
    const id = await create({ Mode: { Replicated: { Replicas: 5 } } });
    const status = (State: 'running' | 'starting' | 'failed') => ({ Timestamp: '', State, Message: '' });
    await test.write((tx) => {
      tx.put('task', draftTask('t1', id, { status: status('running') }));
      tx.put('task', draftTask('t2', id, { status: status('running'), desiredState: 'shutdown' }));
      tx.put('task', draftTask('t3', id, { status: status('starting') }));
      tx.put('task', draftTask('t4', id, { status: status('failed'), desiredState: 'shutdown' }));
      tx.put('task', draftTask('t5', 'another', { status: status('running') }));
    });
    expect(test.api.services({}, true)[0]?.ServiceStatus).toEqual({
      RunningTasks: 2,
      DesiredTasks: 5,
      CompletedTasks: 0,
    });
  });

  it('filters', async () => {
    const web = await create({ Labels: { tier: 'front', 'com.docker.stack.namespace': 'st' } });
    const web2 = await create({ Name: 'web2', Labels: { tier: '' } });
    const db = await create({ Name: 'db' });
    const ids = (filters: Record<string, string[]>) => test.api.services(filters, false).map((one) => one.ID);
    const sorted = (...wanted: string[]) => wanted.sort();
    expect(ids({ name: ['we'] })).toEqual(sorted(web, web2));
    expect(ids({ name: ['web2', 'd'] })).toEqual(sorted(web2, db));
    expect(ids({ id: [db.slice(0, 10)] })).toEqual([db]);
    expect(ids({ label: ['tier'] })).toEqual(sorted(web, web2));
    expect(ids({ label: ['tier=front'] })).toEqual([web]);
    expect(ids({ label: ['tier', 'com.docker.stack.namespace=st'] })).toEqual([web]);
    expect(ids({ label: ['tier=back'] })).toEqual([]);
    expect(ids({ mode: ['replicated'], runtime: ['container'] })).toEqual(sorted(web, web2, db));
    expect(ids({ mode: ['global'] })).toEqual([]);
    expect(ids({ mode: ['nonsense'] })).toEqual([]);
    expect(ids({ runtime: ['plugin'] })).toEqual([]);
    expect(ids({ name: ['web'], label: ['constructor'] })).toEqual([]);
    expect(ids({ name: [] })).toHaveLength(3);
  });

  it.each(['foo', 'node', '__proto__'])('refuses the filter %s', (name) => {
    expect(caught(() => test.api.services(Object.fromEntries([[name, ['x']]]), false))).toEqual({
      kind: 'invalid',
      code: 'BALE_FILTER_INVALID',
      message: `Invalid filter '${name}'`,
    });
  });

  it('shows on which nodes a port of it could not be bound', async () => {
    const id = await create(published(80));
    const bound = {
      publishedPort: 80,
      protocol: 'tcp' as const,
      error: 'listen tcp 0.0.0.0:80: address already in use',
    };
    await test.write((tx) => {
      const node = tx.get('node', MANAGER_ID);
      if (node !== undefined) tx.put('node', { ...node, portErrors: [bound, { ...bound, publishedPort: 81 }] });
    });
    const error = { ...bound, nodeId: MANAGER_ID, serviceId: id };
    expect(get(id).portErrors).toEqual([error]);
    expect(test.api.services({}, false)[0]?.portErrors).toEqual([error]);
    expect(test.api.node(MANAGER_ID).portErrors).toEqual([error]);
  });
});

const runningTask = (id: string, serviceId: string) =>
  draftTask(id, serviceId, { status: { Timestamp: '', State: 'running', Message: '' } });

describe('updating a service', () => {
  it('changes replicas and labels, moves the version and keeps the former spec', async () => {
    const id = await create();
    const before = get(id);
    const body = { ...before.Spec, Labels: { a: 'b' }, Mode: { Replicated: { Replicas: 7 } } };
    expect(await update(id, before.Version.Index, body)).toEqual({ Warnings: null });
    const after = get(id);
    expect(after.Spec).toEqual(body);
    expect(after.PreviousSpec).toEqual(before.Spec);
    expect(after.Version.Index).toBeGreaterThan(before.Version.Index);
  });

  it.each([false, true])('takes back what it showed (insertDefaults=%s), and then nothing moves', async (insert) => {
    const RestartPolicy = { Condition: 'on-failure' };
    const TaskTemplate = { RestartPolicy, Resources: null, Placement: null, ContainerSpec: { DNSConfig: null } };
    const id = await create({ ...published(0), TaskTemplate, UpdateConfig: { Parallelism: 2 } });
    const shown = get(id, insert);
    const { index } = test.store.view;
    await update(id, shown.Version.Index, shown.Spec);
    expect(test.store.view.index).toBe(index);
  });

  it('scales from what it showed with defaults, and keeps the very template of its tasks', async () => {
    const id = await create();
    const template = test.store.view.get('service', id)?.spec.TaskTemplate;
    const shown = get(id, true);
    await update(id, shown.Version.Index, { ...shown.Spec, Mode: { Replicated: { Replicas: 3 } } });
    expect(test.store.view.get('service', id)?.spec.TaskTemplate).toBe(template);
    expect(get(id).Spec).toEqual({ ...SPEC_OF_WEB, Mode: { Replicated: { Replicas: 3 } } });
  });

  it('succeeds without a change when it is scaled to what it is', async () => {
    const id = await create();
    const { Version } = get(id);
    await update(id, Version.Index, serviceBody());
    expect(get(id).Version).toEqual(Version);
  });

  it('refuses a version that is not the present one, in the words clients retry on', async () => {
    const id = await create();
    const { Version, Spec } = get(id);
    await update(id, Version.Index, { ...Spec, Labels: { a: 'b' } });
    expect(await caughtAsync(update(id, Version.Index, { ...Spec, Labels: { c: 'd' } }))).toEqual({
      kind: 'out-of-sequence',
      code: 'BALE_OUT_OF_SEQUENCE',
      message: 'rpc error: code = Unknown desc = update out of sequence',
    });
    expect(get(id).Spec.Labels).toEqual({ a: 'b' });
  });

  it.each([
    [undefined, 'invalid service version \'\': strconv.ParseUint: parsing "": invalid syntax'],
    ['x1', 'invalid service version \'x1\': strconv.ParseUint: parsing "x1": invalid syntax'],
    ['-1', 'invalid service version \'-1\': strconv.ParseUint: parsing "-1": invalid syntax'],
    [
      '99999999999999999999',
      'invalid service version \'99999999999999999999\': strconv.ParseUint: parsing "99999999999999999999": value out of range',
    ],
  ])('refuses the version %s', async (version, message) => {
    const id = await create();
    expect(await caughtAsync(update(id, version, serviceBody()))).toMatchObject({ kind: 'invalid', message });
  });

  it.each([
    ['service mode change is not allowed', { Mode: { Replicated: null, Global: {} } }],
    ['renaming services is not supported', { Name: 'other' }],
    ['renaming services is not supported', { Name: '' }],
  ])('refuses %s', async (words, over) => {
    const id = await create();
    const before = get(id);
    const error = await caughtAsync(update(id, before.Version.Index, serviceBody(over)));
    expect(error?.kind).toBe('unimplemented');
    expect(error?.message).toBe(`rpc error: code = Unimplemented desc = ${words}`);
    expect(get(id)).toEqual(before);
  });

  it.each([
    ['image', { TaskTemplate: { ContainerSpec: { Image: 'bb:2' } } }],
    ['arguments', { TaskTemplate: { ContainerSpec: { Args: ['sleep'] } } }],
    ['environment', { TaskTemplate: { ContainerSpec: { Env: ['A=b'] } } }],
    ['limits', { TaskTemplate: { Resources: { Limits: { NanoCPUs: 1e9 } } } }],
    ['counter of forced updates', { TaskTemplate: { ForceUpdate: 1 } }],
  ])('takes another %s, and says that it is under way', async (_what, over) => {
    const id = await create();
    await test.write((tx) => tx.put('task', runningTask('t1', id)));
    await update(id, get(id).Version.Index, serviceBody(over));
    expect(get(id).Spec).toMatchObject(over);
    expect(get(id).UpdateStatus).toMatchObject({ State: 'updating', Message: 'update in progress' });
    expect(test.api.tasks({ '_up-to-date': ['true'] })).toEqual([]);
  });

  it('publishes and unpublishes ports without touching tasks', async () => {
    const id = await create();
    const { TaskTemplate } = get(id).Spec;
    await test.write((tx) => tx.put('task', { ...runningTask('t1', id), spec: TaskTemplate }));
    await update(id, get(id).Version.Index, serviceBody(published(80)));
    expect(get(id).Endpoint.Ports).toMatchObject([{ PublishedPort: 80 }]);
    expect(get(id).UpdateStatus).toBeUndefined();
    await update(id, get(id).Version.Index, serviceBody());
    expect(get(id).Endpoint).toEqual({ Spec: {} });
  });

  it('refuses a port that another service has', async () => {
    await create({ Name: 'other', ...published(80) });
    const id = await create();
    await expect(update(id, get(id).Version.Index, serviceBody(published(80)))).rejects.toThrow('already in use');
  });

  it('rolls back to the spec before, and forth again', async () => {
    const id = await create();
    const first = get(id);
    expect(await caughtAsync(update(id, first.Version.Index, serviceBody(), 'previous'))).toMatchObject({
      kind: 'failed-precondition',
      message: `rpc error: code = FailedPrecondition desc = service ${id} does not have a previous spec`,
    });
    await update(id, first.Version.Index, serviceBody({ TaskTemplate: { ContainerSpec: { Image: 'bb:2' } } }));
    const second = get(id);
    await update(id, second.Version.Index, serviceBody(), 'previous');
    expect(get(id).Spec).toEqual(first.Spec);
    expect(get(id).PreviousSpec).toEqual(second.Spec);
    expect(get(id).UpdateStatus).toMatchObject({ State: 'rollback_started', Message: 'manually requested rollback' });
    await update(id, get(id).Version.Index, serviceBody(), 'previous');
    expect(get(id).Spec).toEqual(second.Spec);
    expect((await caughtAsync(update(id, 1, serviceBody(), 'next')))?.message).toBe(
      'unrecognized rollback option next',
    );
    expect((await caughtAsync(update(id, 1, serviceBody(), 'previous')))?.kind).toBe('out-of-sequence');
  });

  it('keeps the last ten specs, and goes back to any of them', async () => {
    const id = await create();
    for (let count = 1; count <= 12; count += 1) {
      await update(id, get(id).Version.Index, serviceBody({ Mode: { Replicated: { Replicas: count + 2 } } }));
    }
    const history = test.api.history('web');
    expect(history.map(({ Spec }) => Spec.Mode.Replicated?.Replicas)).toEqual([13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
    await test.api.rollBackTo('web', String(history[4]?.Version.Index));
    expect(get(id).Spec.Mode).toEqual({ Replicated: { Replicas: 9 } });
    await expect(test.api.rollBackTo('web', '1')).rejects.toThrow('has no earlier spec of version 1; it has ');
  });

  it('refuses a spec that breaks a rule, and a service that is not there', async () => {
    const id = await create();
    const { Version } = get(id);
    await expect(update(id, Version.Index, serviceBody({ Labels: { 'bale.x': '' } }))).rejects.toThrow('is unknown');
    await expect(update('nosuch', 1, serviceBody())).rejects.toThrow('service nosuch not found');
  });
});

describe('removing a service', () => {
  it('removes it by name, and then its name and port are free', async () => {
    await create(published(80));
    await test.api.removeService('web');
    expect(test.store.view.count('service')).toBe(0);
    await create(published(80));
  });

  it('says when it is not there', async () => {
    expect(await caughtAsync(test.api.removeService('nosuch'))).toMatchObject({
      kind: 'not-found',
      message: 'service nosuch not found',
    });
  });
});
