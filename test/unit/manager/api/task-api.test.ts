import { beforeEach, describe, expect, it } from 'vitest';
import { caught } from '../../../support/caught.js';
import { serviceBody } from '../../../support/service-body.js';
import { draftNode, draftTask } from '../../../support/stored-objects.js';
import { openTestApi, type TestApi } from '../../../support/test-api.js';

const STATUS = { Timestamp: '2026-01-01T00:00:00.000Z', State: 'running', Message: 'started' } as const;

let test: TestApi;
beforeEach(async () => {
  test = await openTestApi();
});

/** A service with one task of its present spec. */
async function withTask(name: string, taskId: string, fields: Parameters<typeof draftTask>[2] = {}): Promise<string> {
  const { ID: id } = await test.api.createService(serviceBody({ Name: name }));
  await test.write((tx) => {
    const service = tx.get('service', id);
    if (service === undefined) throw new Error('the service is gone');
    tx.put(
      'task',
      draftTask(taskId, id, { serviceName: name, spec: service.spec.TaskTemplate, status: STATUS, ...fields }),
    );
  });
  return id;
}

describe('showing tasks', () => {
  it('shows one in the shape of the Engine', async () => {
    const service = await withTask('web', 'task1', {
      nodeId: 'n1',
      slot: 3,
      status: { ...STATUS, ContainerStatus: { ContainerID: 'c', PID: 7, ExitCode: 0 } },
    });
    const { Version, ...shown } = test.api.task('task1');
    expect(Version.Index).toBeGreaterThan(0);
    expect(shown).toEqual({
      ID: 'task1',
      CreatedAt: '2026-01-01T00:00:00.000Z',
      UpdatedAt: '2026-01-01T00:00:00.000Z',
      Labels: {},
      Spec: {
        ContainerSpec: { Image: 'bb:1', Args: ['sleep', '1000000'], Init: false, DNSConfig: {}, Isolation: 'default' },
        Resources: { Limits: {}, Reservations: {} },
        Placement: {},
        ForceUpdate: 0,
      },
      ServiceID: service,
      Slot: 3,
      NodeID: 'n1',
      Status: { ...STATUS, ContainerStatus: { ContainerID: 'c', PID: 7, ExitCode: 0 }, PortStatus: {} },
      DesiredState: 'running',
    });
  });

  it('shows a warning where clients look for errors, while there is none', async () => {
    const volumesLeft = { nodeId: 'n1', volumes: ['data'], warning: 'volume data stayed behind' };
    const service = await withTask('web', 'task1', { nodeId: 'n2', volumesLeft });
    expect(test.api.task('task1')).toMatchObject({
      warning: 'volume data stayed behind',
      Status: { State: 'running', Err: 'warning: volume data stayed behind' },
    });
    expect(test.api.service(service, false).warnings).toEqual(['volume data stayed behind']);
    await test.write((tx) => {
      const task = tx.get('task', 'task1');
      if (task !== undefined) tx.put('task', { ...task, desiredState: 'shutdown', status: { ...STATUS, Err: 'boom' } });
    });
    expect(test.api.task('task1').Status.Err).toBe('boom');
    expect(test.api.service(service, false)).not.toHaveProperty('warnings');
  });

  it('shows why one waits, and no node before it has one', async () => {
    await withTask('web', 'task1', { status: { ...STATUS, State: 'pending', Err: 'no suitable node' } });
    expect(test.api.task('task1').Status.Err).toBe('no suitable node');
    expect(test.api.task('task1')).not.toHaveProperty('NodeID');
  });

  it('finds one by id, full name or the beginning of its id', async () => {
    await withTask('web', 'task1');
    await withTask('db', 'zask2');
    for (const wanted of ['task1', 'web.1.task1', 'ta']) expect(test.api.task(wanted).ID).toBe('task1');
    expect(caught(() => test.api.task('nosuch'))).toMatchObject({ message: 'task nosuch not found' });
    await withTask('x', 'task3');
    expect(caught(() => test.api.task('task'))?.message).toBe('task task is ambiguous (2 matches found)');
  });

  it('lists the same as JSON, again after something changed, in pieces when there are many', async () => {
    const id = await withTask('web', 'task1', { nodeId: 'n1' });
    await withTask('umlaut', 'task2', { status: { ...STATUS, State: 'pending', Err: 'kein "Platz" für 東京\n' } });
    await withTask('leaving', 'task3', {
      nodeId: 'n1',
      draining: { since: 1, deadline: 2, then: 'shutdown', cause: 'scaled down' },
    });
    const json = (filters: Record<string, string[]> = {}): string => [...test.api.taskList(filters)].join('');
    for (let round = 0; round < 2; round += 1) expect(JSON.parse(json())).toEqual(test.api.tasks({}));
    expect(JSON.parse(json({ service: ['web'] }))).toEqual(test.api.tasks({ service: ['web'] }));
    expect(json({ id: ['none'] })).toBe('[]');
    await test.write((tx) => {
      const task = tx.get('task', 'task1');
      if (task !== undefined) tx.put('task', { ...task, desiredState: 'shutdown' });
      for (let number = 0; number < 1_999; number += 1) tx.put('task', draftTask(`u${number}`, id));
    });
    expect(JSON.parse(json())).toEqual(test.api.tasks({}));
    expect([...test.api.taskList({})]).toHaveLength(21);
    expect([...test.api.taskList({ id: ['u'] })]).toHaveLength(20);
    expect(caught(() => test.api.taskList({ foo: ['x'] }))).toMatchObject({ kind: 'invalid' });
  });

  it('filters', async () => {
    const web = await withTask('web', 't1', { nodeId: 'n1', slot: 1, serviceLabels: { st: 'a' } });
    const db = await withTask('db', 't2', { nodeId: 'n2', slot: 1, desiredState: 'shutdown' });
    await test.write((tx) => {
      tx.put('node', draftNode('n1'));
      tx.put('node', draftNode('n2'));
      tx.put('task', draftTask('t3', web, { serviceName: 'web', slot: 10, nodeId: 'n2' }));
    });
    const ids = (filters: Record<string, string[]>) => test.api.tasks(filters).map((task) => task.ID);
    expect(ids({})).toEqual(['t1', 't2', 't3']);
    expect(ids({ service: [web] })).toEqual(['t1', 't3']);
    expect(ids({ service: ['web'] })).toEqual(['t1', 't3']);
    expect(ids({ service: ['web', db] })).toEqual(['t1', 't2', 't3']);
    expect(ids({ node: ['n2'] })).toEqual(['t2', 't3']);
    expect(ids({ node: ['n2'], service: ['web'] })).toEqual(['t3']);
    expect(ids({ node: ['n1', 'n2'], service: ['db', 'web'] })).toEqual(['t1', 't2', 't3']);
    expect(ids({ name: ['web.1'] })).toEqual(['t1', 't3']);
    expect(ids({ name: ['web.1.'] })).toEqual(['t1']);
    expect(ids({ id: ['t2', 't3'] })).toEqual(['t2', 't3']);
    expect(ids({ label: ['st=a'] })).toEqual(['t1']);
    expect(ids({ 'desired-state': ['running'] })).toEqual(['t1', 't3']);
    expect(ids({ 'desired-state': ['shutdown', 'Running'] })).toEqual(['t1', 't2', 't3']);
    expect(ids({ 'desired-state': ['accepted'] })).toEqual([]);
    expect(ids({ runtime: ['container'] })).toHaveLength(3);
    expect(ids({ runtime: ['plugin'] })).toEqual([]);
  });

  it.each([
    ['not-found', 'service zzz not found', { service: ['zzz'] }],
    ['not-found', 'node zzz not found', { node: ['zzz'] }],
    ['invalid', "Invalid filter 'foo'", { foo: ['x'] }],
    ['invalid', "Invalid desired-state filter: 'asleep'", { 'desired-state': ['asleep'] }],
  ])('answers %s: %s', (kind, message, filters: Record<string, string[]>) => {
    expect(caught(() => test.api.tasks(filters))).toMatchObject({ kind, message });
  });

  it('knows which tasks are of the present spec, also after it was scaled or read from the journal', async () => {
    const id = await withTask('web', 'same');
    await test.write((tx) => {
      const spec = tx.get('service', id)?.spec.TaskTemplate;
      if (spec === undefined) throw new Error('the service is gone');
      tx.put('task', draftTask('equal', id, { spec: structuredClone(spec) }));
      tx.put('task', draftTask('other', id, { spec: { ContainerSpec: { Image: 'bb:2' } } }));
      tx.put('task', draftTask('orphan', 'gone', { spec }));
    });
    const ids = () => test.api.tasks({ '_up-to-date': ['true'] }).map((task) => task.ID);
    expect(ids()).toEqual(['equal', 'same']);
    const { Version, Spec } = test.api.service(id, false);
    const scaled = { ...Spec, Mode: { Replicated: { Replicas: 9 } } };
    await test.api.updateService(id, String(Version.Index), scaled, { rollback: undefined });
    expect(ids()).toEqual(['equal', 'same']);
  });
});
