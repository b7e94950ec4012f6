import { expect, test } from 'vitest';
import { portErrorsByService, portErrorsOf, portOwners } from '../../../../manager/api/port-errors.js';
import type { NodeObject } from '../../../../manager/store/objects.js';
import { ingressPort, storedNode, storedService } from '../../../support/stored-objects.js';

const owners = portOwners([
  storedService('web', { ports: [ingressPort(53, 53)] }),
  storedService('dns', { ports: [{ ...ingressPort(53, 53), Protocol: 'udp' }] }),
  storedService('host', { ports: [{ ...ingressPort(80, 80), PublishMode: 'host' }] }),
]);
const inUse = { publishedPort: 53, protocol: 'udp', error: 'listen udp 0.0.0.0:53: address already in use' } as const;
const elsewhere = { publishedPort: 53, protocol: 'tcp', error: 'no address within 10.0.0.0/8', notice: true } as const;

const node = (id: string, portErrors: NodeObject['portErrors'] = [], fields: Partial<NodeObject> = {}): NodeObject =>
  storedNode(id, { meshAddr: `${id}:2378`, portErrors, ...fields });

test('an error is told with its node and service; the udp port of a number is another than its tcp port', () => {
  expect(portErrorsOf(node('n1', [inUse]), owners)).toEqual([{ ...inUse, nodeId: 'n1', serviceId: 'dns' }]);
});

test('a port that changed hands since is that of the service that publishes it now', () => {
  const [before, after] = ['old', 'new'].map((id) => portOwners([storedService(id, { ports: [ingressPort(53, 53)] })]));
  const failed = node('n1', [{ ...inUse, protocol: 'tcp' }]);
  const shown = [before, after].map((each) => portErrorsOf(failed, each ?? new Map()).map((error) => error.serviceId));
  expect(shown).toEqual([['old'], ['new']]);
});

test('a port that no service publishes, or that the Engine binds, has none', () => {
  const others = [2378, 80].map((publishedPort) => ({ ...inUse, protocol: 'tcp' as const, publishedPort }));
  expect(portErrorsOf(node('n1', others), owners)).toEqual([]);
});

test('that a node has none of the addresses is a notice while another serves the port, else a fault', () => {
  const shown = (...nodes: readonly NodeObject[]): readonly unknown[] =>
    (portErrorsByService(nodes, owners).get('web') ?? []).map(({ nodeId, error, notice }) => [nodeId, error, notice]);
  expect(shown(node('n1', [elsewhere]), node('n2'))).toEqual([['n1', elsewhere.error, true]]);
  const fault = `${elsewhere.error}, and no other node serves it`;
  expect(shown(node('n1', [elsewhere]), node('n2', [elsewhere]))).toEqual([
    ['n1', fault, undefined],
    ['n2', fault, undefined],
  ]);
  const down = { status: { state: 'down', message: '', addr: '' } } as const;
  expect(shown(node('n1', [elsewhere]), node('n2', [], down))).toEqual([['n1', fault, undefined]]);
  expect(shown(node('n1', [elsewhere]), node('n2', [{ ...elsewhere, error: 'in use', notice: false }]))).toEqual([
    ['n1', fault, undefined],
    ['n2', 'in use', undefined],
  ]);
});
