import { expect, test } from 'vitest';
import { isPinOf, pinned, registryOf, taggedName } from '../../../../proto/engine/image-name.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;

test.each([
  ['app', 'docker.io'],
  ['team/app:1', 'docker.io'],
  ['index.docker.io/app', 'docker.io'],
  ['docker.io/library/app', 'docker.io'],
  ['localhost/app', 'localhost'],
  ['registry.example.com/team/app:1', 'registry.example.com'],
  [`10.0.0.1:5000/app@${DIGEST}`, '10.0.0.1:5000'],
])('the registry of %s is %s', (image, registry) => {
  expect(registryOf(image)).toBe(registry);
});

test.each([
  ['app', 'app:latest'],
  ['app:1', 'app:1'],
  ['reg:5000/app', 'reg:5000/app:latest'],
  ['reg:5000/app:1', 'reg:5000/app:1'],
  [`app:1@${DIGEST}`, 'app:1'],
  [`app@${DIGEST}`, 'app'],
])('%s is %s by its tag', (image, name) => {
  expect(taggedName(image)).toBe(name);
});

test('a pin is of the tag that it was looked up for, and of no other', () => {
  expect(pinned('app', DIGEST)).toBe(`app:latest@${DIGEST}`);
  expect(isPinOf(pinned('app', DIGEST), 'app:latest')).toBe(true);
  expect(isPinOf(pinned('app:1', DIGEST), 'app:2')).toBe(false);
  expect(isPinOf('app:1', 'app:1')).toBe(false);
  expect(isPinOf(pinned('app:1', DIGEST), pinned('app:1', DIGEST))).toBe(false);
});
