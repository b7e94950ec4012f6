import { describe, expect, test } from 'vitest';
import { newestOf, referTo, retiredIds, usersOf, versionsOf } from '../../../../manager/secrets/versions.js';
import type { PayloadObject, ServiceObject } from '../../../../manager/store/objects.js';
import type { ServiceSpec } from '../../../../proto/engine/service-spec.js';

const META = { version: 1, createdAt: 0, updatedAt: 0 };
const row = (id: string, Name: string, dataVersion: number): PayloadObject => ({
  ...META,
  id,
  spec: { Name, Labels: {} },
  dataVersion,
  sealed: '',
});

const spec = (...ids: string[]): ServiceSpec => ({
  Name: 'web',
  Labels: {},
  TaskTemplate: {
    ContainerSpec: { Image: 'i', Secrets: ids.map((SecretID) => ({ SecretID, SecretName: 'a' })) },
  },
  Mode: { Replicated: { Replicas: 1 } },
});
const service = (fields: Partial<ServiceObject>): ServiceObject => ({
  ...META,
  id: 'web',
  spec: spec(),
  ports: [],
  ...fields,
});

const ROWS = [row('a1', 'a', 1), row('a3', 'a', 3), row('a2', 'a', 2), row('b1', 'b', 1)];

test('a name means its newest version', () => {
  expect(newestOf(ROWS).map(({ id }) => id)).toEqual(['a3', 'b1']);
  expect(versionsOf(ROWS, 'a').map(({ id }) => id)).toEqual(['a3', 'a2', 'a1']);
});

describe('older versions', () => {
  test.each<[string, Partial<ServiceObject>, string[]]>([
    ['that nobody refers to are retired', {}, ['a1', 'a2']],
    ['that a spec refers to stay', { spec: spec('a1') }, ['a2']],
    ['that the way back refers to stay', { previousSpec: spec('a2') }, ['a1']],
    ['that the history refers to stay', { history: [{ version: 1, writtenAt: 0, spec: spec('a1', 'a2') }] }, []],
  ])('%s', (_what, fields, retired) => {
    expect(retiredIds('secret', ROWS, [service(fields)])).toEqual(retired);
  });

  test('of configs are kept by references to configs alone', () => {
    expect(retiredIds('config', ROWS, [service({ spec: spec('a1') })])).toEqual(['a1', 'a2']);
  });
});

test('a service uses what its spec has, and what its rollout may go back to', () => {
  const rollout = { id: 1, startedAt: 0, slots: 1 };
  const names = (fields: Partial<ServiceObject>): number =>
    usersOf('secret', new Set(['a1']), [service(fields)]).length;
  expect(names({ spec: spec('a1') })).toBe(1);
  expect(names({ previousSpec: spec('a1') })).toBe(0);
  expect(names({ previousSpec: spec('a1'), rollout })).toBe(1);
  expect(names({ spec: spec('b1') })).toBe(0);
});

test('references are led to a new id where they named an old one, and nothing else changes', () => {
  const before = spec('a1', 'b1');
  expect(referTo('secret', before, new Set(['a1', 'a2']), 'a3')).toEqual(spec('a3', 'b1'));
  expect(referTo('config', before, new Set(['a1']), 'a3').TaskTemplate.ContainerSpec.Secrets).toEqual(
    before.TaskTemplate.ContainerSpec.Secrets,
  );
});
