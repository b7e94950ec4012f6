import { expect, test } from 'vitest';
import { parseImageReference } from '../../../../agent/executor/image-reference.js';

test.each([
  ['busybox', 'busybox', 'latest'],
  ['busybox:1.36', 'busybox', '1.36'],
  ['localhost:5000/team/app', 'localhost:5000/team/app', 'latest'],
  ['localhost:5000/team/app:2', 'localhost:5000/team/app', '2'],
  ['app@sha256:abc', 'app', 'sha256:abc'],
  ['localhost:5000/app:2@sha256:abc', 'localhost:5000/app', 'sha256:abc'],
])('%s is pulled as %s, %s', (image, fromImage, tag) => {
  expect(parseImageReference(image)).toEqual({ fromImage, tag });
});
