import { expect, test } from 'vitest';
import {
  neededRegistryAuth,
  newRegistryAuthId,
  registryAuthId,
  serviceOfRegistryAuth,
  withRegistryAuth,
} from '../../../../manager/secrets/registry-auth.js';
import type { RegistryAuth } from '../../../../manager/store/objects.js';
import type { ServiceSpec } from '../../../../proto/engine/service-spec.js';

const auth = (id: string, registry: string): RegistryAuth => ({ id, registry, sealed: '' });
const spec = (Image: string): ServiceSpec => ({
  Name: 'web',
  Labels: {},
  TaskTemplate: { ContainerSpec: { Image } },
  Mode: { Replicated: { Replicas: 1 } },
});

test('a task pulls with the credentials of the registry of its image alone', () => {
  const service = { registryAuth: [auth('a', 'reg:5000'), auth('b', 'docker.io')] };
  expect(registryAuthId(service, 'reg:5000/app:1')).toBe('a');
  expect(registryAuthId(service, 'app:1')).toBe('b');
  expect(registryAuthId(service, 'elsewhere.test/app:1')).toBeUndefined();
  expect(registryAuthId({}, 'app:1')).toBeUndefined();
});

test('of one registry the newest credentials count', () => {
  const known = [auth('a', 'reg:5000'), auth('b', 'docker.io')];
  expect(withRegistryAuth(known, auth('c', 'reg:5000'))).toEqual([auth('b', 'docker.io'), auth('c', 'reg:5000')]);
  expect(withRegistryAuth(undefined, auth('c', 'reg'))).toEqual([auth('c', 'reg')]);
});

test('credentials of a registry that no spec names any more go', () => {
  const known = [auth('a', 'reg:5000'), auth('b', 'docker.io')];
  expect(neededRegistryAuth(known, [spec('app:1'), spec('reg:5000/app:1')])).toBe(known);
  expect(neededRegistryAuth(known, [spec('app:1')])).toEqual([auth('b', 'docker.io')]);
  expect(neededRegistryAuth(known, [spec('other.test/app')])).toBeUndefined();
});

test('the id of credentials leads to their service', () => {
  expect(serviceOfRegistryAuth(newRegistryAuthId('s1', 'u1'))).toBe('s1');
});
