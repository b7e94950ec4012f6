import { beforeEach, describe, expect, test } from 'vitest';
import type { PayloadVerbs, SwarmApi } from '../../../../manager/api/swarm-api.js';
import { openTestApi, type TestApi } from '../../../support/test-api.js';
import { serviceBody } from '../../../support/service-body.js';

let bench: TestApi;
let api: SwarmApi;
beforeEach(async () => {
  bench = await openTestApi();
  ({ api } = bench);
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const body = (Name: string, data: string, more: object = {}) => ({ Name, Labels: {}, Data: base64(data), ...more });

const using = (kind: 'Secret' | 'Config', id: string, name: string, service = 'web') => {
  const File = { Name: name, UID: '0', GID: '0', Mode: 0o444 };
  return serviceBody({
    Name: service,
    TaskTemplate: { ContainerSpec: { [`${kind}s`]: [{ [`${kind}ID`]: id, [`${kind}Name`]: name, File }] } },
  });
};

const refused = (work: () => Promise<unknown>, kind: string, message: string): Promise<void> =>
  expect(Promise.resolve().then(work)).rejects.toMatchObject({
    kind,
    message: expect.stringContaining(message) as unknown,
  });

describe.each([
  ['secret', 'Secret', 512_000],
  ['config', 'Config', 1_024_000],
] as const)('a %s', (kind, Kind, limit) => {
  let verbs: PayloadVerbs;
  beforeEach(() => {
    verbs = kind === 'secret' ? api.secrets : api.configs;
  });

  test('is created, listed and inspected; data is shown of configs only', async () => {
    const { ID } = await verbs.create(body('a', 'value', { Labels: { k: 'v' } }));
    const Data = kind === 'config' ? { Data: base64('value') } : {};
    expect(verbs.inspect('a')).toMatchObject({ ID, Spec: { Name: 'a', Labels: { k: 'v' }, ...Data }, dataVersion: 1 });
    expect(verbs.inspect(ID).Spec).toEqual({ Name: 'a', Labels: { k: 'v' }, ...Data });
    expect(verbs.list({}).map((one) => one.ID)).toEqual([ID]);
    expect(JSON.stringify(bench.store.view.all(kind))).not.toContain(base64('value'));
  });

  test.each([
    ['without a name', '', 'x', 'name must be provided'],
    ['with a name of other characters', 'a b', 'x', 'invalid name, only 64'],
    ['with a name that ends in a dot', 'a.', 'x', 'invalid name, only 64'],
    ['with a long name', 'a'.repeat(65), 'x', 'invalid name, only 64'],
    ['without data', 'a', '', `${kind} data must be larger than 0 and less than ${limit} bytes`],
    ['that is too large', 'a', 'x'.repeat(limit), `must be larger than 0 and less than ${limit} bytes`],
  ])('%s is refused', async (_what, name, data, message) => {
    await refused(() => verbs.create(body(name, data)), 'invalid', `rpc error: code = InvalidArgument desc = `);
    await refused(() => verbs.create(body(name, data)), 'invalid', message);
  });

  test('one byte below the limit is fine', async () => {
    await verbs.create(body('a', 'x'.repeat(limit - 1)));
    expect(verbs.list({})).toHaveLength(1);
  });

  test('other faults are refused without repeating the data', async () => {
    await refused(() => verbs.create({ Name: 'a', Data: '%%%' }), 'invalid', `${kind} data is not valid base64`);
    await refused(() => verbs.create({ Name: 'a', Data: 7 }), 'invalid', 'Data: expected a string, got a number');
    const templated = (text: string) => body('a', text, { Templating: { Name: 'golang' } });
    await refused(() => verbs.create(templated('p4ss {{range .x}}')), 'unimplemented', '"range" in action 1');
    await refused(() => verbs.create(templated('{{.Nope}}')), 'invalid', `${kind} data is not a template`);
    await refused(() => verbs.create(body('a', 'x', { Templating: { Name: 'jinja' } })), 'unimplemented', 'jinja');
    expect(verbs.list({})).toEqual([]);
  });

  test('a name is taken once', async () => {
    await verbs.create(body('a', '1'));
    await refused(
      () => verbs.create(body('a', '2')),
      'conflict',
      `code = AlreadyExists desc = ${kind} a already exists`,
    );
  });

  test('an update changes labels and nothing else', async () => {
    const { ID } = await verbs.create(body('a', '1'));
    const version = String(verbs.inspect(ID).Version.Index);
    await verbs.update(ID, version, body('a', '1', { Labels: { new: '1' } }));
    expect(verbs.inspect(ID).Spec.Labels).toEqual({ new: '1' });
    const words = 'code = InvalidArgument desc = only updates to Labels are allowed';
    await refused(() => verbs.update(ID, version, body('a', '2')), 'invalid', words);
    await refused(() => verbs.update(ID, version, { Name: 'b' }), 'invalid', words);
    await refused(() => verbs.update(ID, version, { Name: 'a' }), 'out-of-sequence', 'update out of sequence');
    await refused(() => verbs.update(ID, 'x', { Name: 'a' }), 'invalid', `invalid ${kind} version`);
  });

  test('lists filter by prefixes, whole names and labels', async () => {
    for (const name of ['aa', 'ab', 'b']) await verbs.create(body(name, '1', { Labels: { [name]: '1' } }));
    const names = (filters: Record<string, string[]>): string[] =>
      verbs
        .list(filters)
        .map(({ Spec }) => Spec.Name)
        .sort();
    expect(names({ name: ['a'] })).toEqual(['aa', 'ab']);
    expect(names({ names: ['a', 'b'] })).toEqual(['b']);
    expect(names({ label: ['ab=1'] })).toEqual(['ab']);
    expect(names({ id: [verbs.inspect('b').ID] })).toEqual(['b']);
    expect(() => verbs.list({ foo: ['x'] })).toThrow("Invalid filter 'foo'");
    expect(() => verbs.inspect('nope')).toThrow(`${kind} nope not found`);
  });

  test('is not removed while services use it, which are named', async () => {
    const { ID } = await verbs.create(body('a', '1'));
    await api.createService(using(Kind, ID, 'a'));
    const words = `desc = ${kind} 'a' is in use by the following service: web`;
    await refused(() => verbs.remove('a'), 'invalid', words);
    await api.createService(using(Kind, ID, 'a', 'web2'));
    await refused(() => verbs.remove('a'), 'invalid', 'is in use by the following services: ');
    await api.removeService('web');
    await api.removeService('web2');
    await verbs.remove(ID);
    expect(verbs.list({})).toEqual([]);
  });

  test('a reference must name id and name of one that is there', async () => {
    const { ID } = await verbs.create(body('a', '1'));
    await refused(() => api.createService(using(Kind, ID, 'b')), 'invalid', `desc = ${kind} not found: b`);
    await refused(() => api.createService(using(Kind, 'nope', 'a')), 'invalid', `desc = ${kind} not found: a`);
    await refused(() => api.createService(using(Kind, '', 'a')), 'invalid', `desc = malformed ${kind} reference`);
    await api.createService(using(Kind, ID, 'a'));
  });

  test('new data is a version of its own, which the services that use the name get', async () => {
    const { ID: first } = await verbs.create(body('a', '1', { Labels: { k: 'v' } }));
    await api.createService(using(Kind, first, 'a'));
    await bench.clock.advance(1_000);
    const { ID: second, ...rotation } = await verbs.rotate('a', { Data: base64('2') });
    expect(rotation).toEqual({ dataVersion: 2, services: ['web'] });
    expect(verbs.list({}).map(({ ID }) => ID)).toEqual([second]);
    expect(verbs.inspect('a')).toMatchObject({
      ID: second,
      CreatedAt: verbs.inspect(first).CreatedAt,
      Spec: { Labels: { k: 'v' } },
      dataVersion: 2,
    });
    const referenced = (): unknown => api.service('web', false).Spec.TaskTemplate.ContainerSpec[`${Kind}s`];
    expect(referenced()).toMatchObject([{ [`${Kind}ID`]: second, [`${Kind}Name`]: 'a' }]);
    expect(verbs.versions('a')).toMatchObject([
      { ID: second, dataVersion: 2, services: ['web'] },
      { ID: first, dataVersion: 1, services: [] },
    ]);

    const version = String(api.service('web', false).Version.Index);
    await api.updateService('web', version, serviceBody({ Name: 'web' }), { rollback: 'previous' });
    expect(referenced()).toMatchObject([{ [`${Kind}ID`]: first }]);
    await refused(() => verbs.remove('a'), 'invalid', 'is in use by the following service: web');
  });

  test('the data it has already makes no version, but leads every user to it', async () => {
    const { ID: first } = await verbs.create(body('a', '1'));
    expect(await verbs.rotate('a', { Data: base64('1') })).toEqual({ ID: first, dataVersion: 1, services: [] });
    const { ID: second } = await verbs.rotate('a', { Data: base64('2') });
    await api.createService(using(Kind, first, 'a'));
    expect(await verbs.rotate('a', { Data: base64('2') })).toEqual({ ID: second, dataVersion: 2, services: ['web'] });
    await refused(() => verbs.rotate('a', { Data: '' }), 'invalid', 'data must be larger than 0');
    await refused(() => verbs.rotate('nope', { Data: base64('1') }), 'not-found', `${kind} nope not found`);
  });

  test('a rollback to a spec whose reference is gone is refused', async () => {
    const { ID } = await verbs.create(body('a', '1'));
    await api.createService(using(Kind, ID, 'a'));
    const version = () => String(api.service('web', false).Version.Index);
    await api.updateService('web', version(), serviceBody({ Name: 'web' }), { rollback: undefined });
    await verbs.remove('a');
    await refused(
      () => api.updateService('web', version(), serviceBody({ Name: 'web' }), { rollback: 'previous' }),
      'invalid',
      `${kind} not found: a`,
    );
  });
});
