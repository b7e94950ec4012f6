import { beforeEach, expect, it } from 'vitest';
import { caught } from '../../../support/caught.js';
import { serviceBody } from '../../../support/service-body.js';
import { draftTask } from '../../../support/stored-objects.js';
import { MANAGER_ID, openTestApi, type TestApi } from '../../../support/test-api.js';

let test: TestApi;
beforeEach(async () => {
  test = await openTestApi();
});

const create = (over: Record<string, unknown>): Promise<string> =>
  test.api.createService(serviceBody(over)).then(({ ID }) => ID);
const list = (filters: Record<string, string[]>, status: boolean): unknown =>
  JSON.parse([...test.api.serviceList(filters, status)].join(''));

it('is empty, and an array, without services', () => {
  expect([...test.api.serviceList({}, true)].join('')).toBe('[]');
});

it('says the same as the documents, again after something changed', async () => {
  const id = await create({ Name: 'web', Labels: { city: '東京 "x"' } });
  await create({ Name: 'db' });
  for (let round = 0; round < 2; round += 1) {
    for (const status of [false, true]) expect(list({}, status)).toEqual(test.api.services({}, status));
    await test.write((tx) => {
      tx.put('task', draftTask(`t${round}`, id, { status: { Timestamp: '', State: 'running', Message: '' } }));
    });
  }
  await test.write((tx) => {
    const service = tx.get('service', id);
    if (service !== undefined) tx.put('service', { ...service, spec: { ...service.spec, Labels: {} } });
  });
  expect(list({}, true)).toEqual(test.api.services({}, true));
  expect(list({ name: ['we'] }, true)).toMatchObject([{ Spec: { Labels: {} }, ServiceStatus: { RunningTasks: 2 } }]);
});

it('says on which nodes a port could not be bound', async () => {
  await create({ EndpointSpec: { Ports: [{ TargetPort: 80, PublishedPort: 80 }] } });
  const error = 'listen tcp 0.0.0.0:80: address already in use';
  await test.write((tx) => {
    const node = tx.get('node', MANAGER_ID);
    if (node !== undefined) {
      tx.put('node', { ...node, portErrors: [{ publishedPort: 80, protocol: 'tcp', error }] });
    }
  });
  expect(list({}, true)).toMatchObject([{ portErrors: [{ nodeId: MANAGER_ID, error }] }]);
  expect(list({}, true)).toEqual(test.api.services({}, true));
});

it('comes in pieces when there are many, and refuses an unknown filter before the first', async () => {
  await create({ Name: 'web' });
  const [web] = test.store.view.all('service');
  if (web === undefined) throw new Error('no service');
  await test.write((tx) => {
    for (let number = 0; number < 250; number += 1) {
      tx.put('service', { ...web, id: `s${number}`, spec: { ...web.spec, Name: `s${number}` } });
    }
  });
  expect([...test.api.serviceList({}, false)]).toHaveLength(3);
  expect(list({}, true)).toEqual(test.api.services({}, true));
  expect(caught(() => test.api.serviceList({ foo: ['x'] }, false))).toMatchObject({ kind: 'invalid' });
});
