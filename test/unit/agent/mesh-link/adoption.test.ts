import { expect, test } from 'vitest';
import { decideAdoption } from '../../../../agent/mesh-link/adoption.js';
import type { MeshConfig } from '../../../../agent/mesh/messages.js';

const config: MeshConfig = {
  nodeId: 'node1',
  clusterId: 'cluster1',
  identityFile: '/state/identity.pem',
  listenAddr: '10.0.0.1:2378',
  publishAddr: '0.0.0.0',
  socket: '/run/bale/mesh.sock',
  logLevel: 'info',
};

test('a mesh of this node is adopted, also after an upgrade or with another log level', () => {
  expect(decideAdoption('node1', config, { ...config, logLevel: 'debug', version: '2.0.0' }).kind).toBe('adopt');
  expect(decideAdoption('node1', undefined, config).kind).toBe('adopt');
});

test('one of another node, or with other addresses, is replaced, and the reason names both', () => {
  expect(decideAdoption('node2', config, config)).toEqual({
    kind: 'replace',
    reason: 'the running mesh is that of node node2',
  });
  expect(decideAdoption('node1', config, { ...config, publishAddr: '10.0.0.1' })).toEqual({
    kind: 'replace',
    reason: 'publishAddr is now 10.0.0.1, it was 0.0.0.0',
  });
});
