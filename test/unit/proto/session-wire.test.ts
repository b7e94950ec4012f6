import { describe, expect, it } from 'vitest';
import { clusterServices } from '../../../proto/grpc-services.js';
import {
  readAgentMessage,
  readManagerMessage,
  writeAgentMessage,
  writeManagerMessage,
} from '../../../proto/session-wire.js';
import type { AgentMessage, ManagerMessage } from '../../../proto/session.js';

/** The methods of a session as gRPC serializes them. */
const method = clusterServices().Dispatcher.service.Session;

const overTheWire = (message: AgentMessage): AgentMessage =>
  readAgentMessage(method.requestDeserialize(method.requestSerialize(writeAgentMessage(message))));
const downTheWire = (message: ManagerMessage): ManagerMessage =>
  readManagerMessage(method.responseDeserialize(method.responseSerialize(writeManagerMessage(message))));

const description = {
  Hostname: 'h1',
  Platform: { Architecture: 'x86_64', OS: 'linux' },
  Resources: { NanoCPUs: 2e9, MemoryBytes: 4e9 },
  Engine: { EngineVersion: '20.10.24', Labels: { rack: '1' }, Plugins: [{ Type: 'Log', Name: 'json-file' }] },
};
const running = {
  Timestamp: '2026-01-01T00:00:00.000Z',
  State: 'running' as const,
  Message: 'started',
  ContainerStatus: { ContainerID: 'abc', PID: 7, ExitCode: 0 },
  PortStatus: {
    Ports: [{ Protocol: 'tcp' as const, TargetPort: 80, PublishedPort: 8080, PublishMode: 'host' as const }],
  },
};

describe('messages of a session', () => {
  const up: AgentMessage[] = [
    {
      kind: 'hello',
      protocolVersion: 1,
      baleVersion: '0.1.0',
      description,
      engineError: '',
      meshAddr: '10.0.0.1:2378',
      streams: true,
    },
    { kind: 'heartbeat' },
    { kind: 'condition', description, engineError: 'engine gone' },
    { kind: 'statuses', statuses: [{ taskId: 't1', status: running }] },
    { kind: 'statuses', statuses: [] },
    {
      kind: 'mesh',
      report: {
        tableNumber: 2 ** 40,
        bindErrors: [{ publishedPort: 80, protocol: 'tcp', error: 'address already in use' }],
        inFlight: { t1: 3 },
      },
    },
    { kind: 'goodbye' },
  ];
  it.each(up)('$kind goes up and arrives as it was', (message) => {
    expect(overTheWire(message)).toEqual(message);
  });

  const task = {
    taskId: 't1',
    serviceId: 's1',
    serviceName: 'web',
    serviceLabels: { a: 'b' },
    slot: 1,
    desiredState: 'running' as const,
    spec: { ContainerSpec: { Image: 'x' } },
    status: { Timestamp: '2026-01-01T00:00:00.000Z', State: 'assigned' as const, Message: 'assigned' },
    hostPorts: [],
    hostOptions: { devices: [{ source: '/dev/fuse', target: '/dev/fuse', access: 'rwm' }], shmSize: 4096 },
  };
  const down: ManagerMessage[] = [
    {
      kind: 'welcome',
      clusterId: 'c1',
      heartbeatPeriod: 500,
      trustRoot: 'PEM',
      managers: [{ nodeId: 'm1', addr: '10.0.0.1:2377' }],
    },
    { kind: 'assignments', assignments: { kind: 'complete', resultsIn: 1, set: [task] } },
    { kind: 'assignments', assignments: { kind: 'incremental', appliesTo: 1, resultsIn: 2, set: [], remove: ['t1'] } },
    {
      kind: 'endpoints',
      table: {
        number: 9,
        clusterId: 'c1',
        nodes: [{ nodeId: 'n1', meshAddr: '10.0.0.1:2378' }],
        ports: [
          {
            publishedPort: 80,
            protocol: 'tcp',
            mode: 'auto',
            serviceId: 's1',
            serviceName: 'web',
            endpoints: [{ taskId: 't1', nodeId: 'n1', targetPort: 8080, state: 'active' }],
          },
        ],
      },
    },
    { kind: 'stream-request', streamId: 'x1' },
  ];
  it.each(down)('$kind goes down and arrives as it was', (message) => {
    expect(downTheWire(message)).toEqual(message);
  });

  it('fields of a document that this version does not know are kept', () => {
    const newer = { ...description, Extra: { A: 1 } };
    expect(overTheWire({ kind: 'condition', description: newer, engineError: '' })).toEqual({
      kind: 'condition',
      description: newer,
      engineError: '',
    });
  });

  const hello = (descriptionJson: string): ReturnType<typeof method.requestDeserialize> =>
    method.requestDeserialize(method.requestSerialize({ hello: { protocolVersion: 1, descriptionJson } }));
  const status = (statusJson: string): ReturnType<typeof method.requestDeserialize> =>
    method.requestDeserialize(method.requestSerialize({ statuses: { statuses: [{ taskId: 't1', statusJson }] } }));
  it.each([
    ['an empty message', method.requestDeserialize(Buffer.alloc(0)), 'of no kind that this version knows'],
    ['no JSON', hello('{'), 'hello.description is not JSON'],
    ['null', hello('null'), 'hello.description is not an object'],
    ['a list', hello('[]'), 'hello.description is not an object'],
    ['a missing field', hello('{}'), 'hello.description.Hostname is not a string'],
    [
      'an infinite number',
      hello(JSON.stringify(description).replace('2000000000', '1e999')),
      'hello.description.Resources.NanoCPUs is not a number',
    ],
    ['a wrong list', hello(JSON.stringify({ ...description, Engine: { EngineVersion: '1', Plugins: {} } })), 'a list'],
    [
      'an unknown state',
      status(JSON.stringify({ ...running, State: 'remove me' })),
      'status of task t1.State is not one of',
    ],
    ['a state that is only ever wished', status(JSON.stringify({ ...running, State: 'toString' })), 'is not one of'],
  ])('%s is refused with the place', (_what, wire, reason) => {
    const read = (): unknown => readAgentMessage(wire);
    expect(read).toThrow(expect.objectContaining({ code: 'BALE_MESSAGE_MALFORMED', kind: 'invalid' }) as Error);
    expect(read).toThrow(reason);
  });

  it('a hello of another version that cannot be read is refused for its version', () => {
    const wire = method.requestDeserialize(
      method.requestSerialize({ hello: { protocolVersion: 9, descriptionJson: '{"newer":true}' } }),
    );
    expect(() => readAgentMessage(wire)).toThrow('the node speaks protocol version 9, this side speaks 1');
  });
});
