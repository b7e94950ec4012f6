import { describe, expect, test } from 'vitest';
import { buildEndpointTable, type EndpointSources } from '../../../../manager/endpoints/endpoint-table.js';
import type { TaskObject } from '../../../../manager/store/objects.js';
import type { DesiredState, TaskState } from '../../../../proto/engine/task-state.js';
import { ingressPort, storedNode, storedService, storedTask } from '../../../support/stored-objects.js';

const node = storedNode('n1', { meshAddr: '10.0.0.1:2378' });
const service = storedService('s', { name: 'web', ports: [ingressPort(8080, 80)] });
const task = (id: string, state: TaskState, desiredState: DesiredState = 'running', nodeId = 'n1'): TaskObject =>
  storedTask(id, 's', { nodeId, desiredState, status: { Timestamp: '', State: state, Message: '' } });

const table = (sources: Partial<EndpointSources>) =>
  buildEndpointTable({ clusterId: 'c', services: [service], tasks: [], nodes: [node], ...sources });
const endpoints = (sources: Partial<EndpointSources>) =>
  table(sources).ports.flatMap((port) => port.endpoints.map(({ taskId, state }) => `${taskId} ${state}`));

describe('the endpoint table', () => {
  test('leads a published port to the target port of each running task', () => {
    expect(table({ tasks: [task('t2', 'running'), task('t1', 'running')] })).toEqual({
      clusterId: 'c',
      nodes: [{ nodeId: 'n1', meshAddr: '10.0.0.1:2378' }],
      ports: [
        {
          publishedPort: 8080,
          protocol: 'tcp',
          mode: 'auto',
          serviceId: 's',
          serviceName: 'web',
          hold: { ms: 10_000, reason: 'it has no running replica' },
          endpoints: [
            { taskId: 't1', nodeId: 'n1', targetPort: 80, state: 'active' },
            { taskId: 't2', nodeId: 'n1', targetPort: 80, state: 'active' },
          ],
        },
      ],
    });
  });

  test.each<[TaskState, DesiredState, string[]]>([
    ['starting', 'running', []],
    ['running', 'running', ['t active']],
    ['running', 'shutdown', ['t draining']],
    ['running', 'remove', ['t draining']],
    ['shutdown', 'shutdown', []],
    ['complete', 'running', []],
    ['failed', 'running', []],
    ['orphaned', 'shutdown', []],
  ])('a task that is %s and shall be %s gives %j', (state, desired, expected) => {
    expect(endpoints({ tasks: [task('t', state, desired)] })).toEqual(expected);
  });

  test.each([
    ['ready', ['t active']],
    ['disconnected', ['t active']],
    ['unknown', ['t active']],
    ['down', []],
  ] as const)('a running task of a node that is %s gives %j', (state, expected) => {
    const nodes = [storedNode('n1', { meshAddr: 'a:1', status: { state, message: '', addr: '' } })];
    expect(endpoints({ tasks: [task('t', 'running')], nodes })).toEqual(expected);
  });

  test('tasks of a node that was removed, or has no mesh yet, are not routed to', () => {
    const tasks = [task('t1', 'running', 'running', 'gone'), task('t2', 'running', 'running', 'n2')];
    expect(endpoints({ tasks, nodes: [node, storedNode('n2')] })).toEqual([]);
  });

  test('a port without endpoints is in the table, so that every node listens', () => {
    expect(table({}).ports).toMatchObject([{ publishedPort: 8080, endpoints: [] }]);
  });

  test('host-mode ports are not the mesh’s business', () => {
    const ports = [{ ...ingressPort(1, 1), PublishMode: 'host' as const }, ingressPort(3, 3)];
    expect(table({ services: [storedService('s', { ports })] }).ports.map((port) => port.publishedPort)).toEqual([3]);
  });

  test('a udp port is another than the tcp port of its number, with a timeout of its own', () => {
    const udp = { Protocol: 'udp' as const };
    const ports = [{ ...ingressPort(53, 53), ...udp }, ingressPort(53, 53), { ...ingressPort(54, 54), ...udp }];
    const labels = { 'bale.port.54.udp-timeout': '5s' };
    const { ports: routed } = table({ services: [storedService('s', { ports, labels })] });
    expect(routed.map(({ publishedPort, protocol, udpTimeout }) => [publishedPort, protocol, udpTimeout])).toEqual([
      [53, 'tcp', undefined],
      [53, 'udp', 60_000],
      [54, 'udp', 5_000],
    ]);
  });

  test('the label of the service fixes the protocol of one target port', () => {
    const labels = { 'bale.port.80.protocol': 'http', 'bale.port.81.protocol': 'tcp', 'bale.port.82.protocol': 'auto' };
    const ports = [ingressPort(1, 80), ingressPort(2, 81), ingressPort(3, 82), ingressPort(4, 83)];
    const modes = table({ services: [storedService('s', { ports, labels })] }).ports.map((port) => port.mode);
    expect(modes).toEqual(['http', 'tcp', 'auto', 'auto']);
  });

  test('members are listed whatever their state, once they have a mesh address', () => {
    const down = storedNode('n0', { meshAddr: 'b:1', status: { state: 'down', message: '', addr: '' } });
    expect(table({ nodes: [node, down, storedNode('n2')] }).nodes.map(({ nodeId }) => nodeId)).toEqual(['n0', 'n1']);
  });

  test('is the same whatever the order of its sources', () => {
    const services = [service, storedService('r', { ports: [ingressPort(90, 9), ingressPort(70, 7)] })];
    const tasks = [task('t1', 'running'), task('t2', 'running', 'shutdown')];
    const nodes = [node, storedNode('n0', { meshAddr: 'b:1' })];
    const reversed = { services: services.toReversed(), tasks: tasks.toReversed(), nodes: nodes.toReversed() };
    expect(table(reversed)).toEqual(table({ services, tasks, nodes }));
    expect(table({ services }).ports.map((port) => port.publishedPort)).toEqual([70, 90, 8080]);
  });

  test.each<[string, Parameters<typeof storedService>[1], object]>([
    ['waits 10 s', {}, { ms: 10_000, reason: 'it has no running replica' }],
    ['waits as the label says', { labels: { 'bale.hold.timeout': '45s' } }, { ms: 45_000 }],
    ['is refused at once when the service is scaled to 0', { replicas: 0 }, { ms: 0, reason: 'it is scaled to 0' }],
  ])('new work without a replica %s', (_how, options, hold) => {
    const services = [storedService('s', { ports: [ingressPort(8080, 80)], ...options })];
    expect(table({ services }).ports).toMatchObject([{ hold }]);
  });

  test.each([
    [{ 'bale.port.80.proxy-protocol': 'v2' }, { mode: 'tcp', proxyProtocol: 'v2' }],
    [
      { 'bale.port.80.max-connections': '100', 'bale.port.80.protocol': 'http' },
      { mode: 'http', maxConnections: 100 },
    ],
    [{ 'bale.port.80.balance': 'sticky' }, { mode: 'auto', balance: 'sticky' }],
    [{ 'bale.port.80.balance': 'least-connections' }, { mode: 'auto', balance: 'least-connections' }],
  ])('labels %j give %j', (labels, port) => {
    const services = [storedService('s', { ports: [ingressPort(8080, 80)], labels })];
    expect(table({ services }).ports).toMatchObject([port]);
  });

  test('round-robin is what a port does anyway, and on a udp port of the same target only sticky has a meaning', () => {
    const udp = { Protocol: 'udp' as const };
    const ports = [ingressPort(1, 53), { ...ingressPort(2, 53), ...udp }];
    const balances = (balance: string): readonly (string | undefined)[] =>
      table({ services: [storedService('s', { ports, labels: { 'bale.port.53.balance': balance } })] }).ports.map(
        (port) => port.balance,
      );
    expect(balances('round-robin')).toEqual([undefined, undefined]);
    expect(balances('least-connections')).toEqual(['least-connections', undefined]);
    expect(balances('sticky')).toEqual(['sticky', 'sticky']);
  });
});
