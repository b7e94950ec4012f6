import { expect, test } from 'vitest';
import { listenHost } from '../../../../agent/mesh/listen-host.js';

test.each([
  ['0.0.0.0', true, '::'],
  ['', true, '::'],
  ['0.0.0.0', false, '0.0.0.0'],
  ['', false, '0.0.0.0'],
  ['::', false, '::'],
  ['127.0.0.1', true, '127.0.0.1'],
  ['fd00::1', true, 'fd00::1'],
])('for %j on a host with IPv6 (%s) it listens on %s', (wanted, hasIpv6, host) => {
  expect(listenHost(wanted, () => hasIpv6)).toBe(host);
});
