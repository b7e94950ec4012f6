import { expect, test } from 'vitest';
import { endpointKey, parseEndpointKey } from '../../../../agent/mesh/endpoint-key.js';

test('a key names task and port', () => {
  const endpoint = { taskId: 'abc123', targetPort: 8080 };
  expect(parseEndpointKey(endpointKey(endpoint))).toEqual({ ...endpoint, protocol: 'tcp' });
  expect(parseEndpointKey(endpointKey(endpoint, 'udp'))).toEqual({ ...endpoint, protocol: 'udp' });
});

test.each(['abc', 'abc:', ':80', 'abc:0', 'abc:70000', 'abc:80:90', '../x:80', 'a b:80', '', `${'x'.repeat(70)}:80`])(
  '%j is none',
  (text) => {
    expect(parseEndpointKey(text)).toBeUndefined();
  },
);
