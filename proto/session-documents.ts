import type { Assignment } from './assignment.js';
import { flag, list, number, object, oneOf, record, text, trusted, type Check } from './document-check.js';
import type { Endpoint, EndpointTable, Hold, MeshPeer, PublishedPort } from './endpoint-table.js';
import type { HostOptions } from './engine/host-options.js';
import type { NodeDescription, TLSInfo } from './engine/node-document.js';
import type { HostPort } from './engine/publish-address.js';
import type { PortConfig } from './engine/service-spec.js';
import type { ContainerStatus, TaskStatus } from './engine/task-document.js';
import type { GenericResource, LogDriver, Platform, ResourceList, TaskSpec } from './engine/task-spec.js';
import { TASK_STATE_ORDER, type TaskState } from './engine/task-state.js';
import type { MeshReport } from './session.js';

/** Checks of the documents of a session. What workers send is checked to the last field: one of them may be hostile. */

const PORT_FIELDS = {
  Name: text,
  Protocol: oneOf(['tcp', 'udp', 'sctp'] as const),
  TargetPort: number,
  PublishedPort: number,
  PublishMode: oneOf(['ingress', 'host'] as const),
};
const PORT_NAMES = ['Name', 'Protocol', 'TargetPort', 'PublishedPort', 'PublishMode'] as const;
const portConfig: Check<PortConfig> = object<PortConfig>(PORT_FIELDS, PORT_NAMES);
const hostPort: Check<HostPort> = object<HostPort>({ ...PORT_FIELDS, HostIp: text }, [...PORT_NAMES, 'HostIp']);

const containerStatus: Check<ContainerStatus> = object<ContainerStatus>({
  ContainerID: text,
  PID: number,
  ExitCode: number,
});

// The keys of a constant, which Object.keys widens to string.
const TASK_STATES = Object.keys(TASK_STATE_ORDER) as TaskState[];

export const taskStatus: Check<TaskStatus> = object<TaskStatus>(
  {
    Timestamp: text,
    State: oneOf(TASK_STATES),
    Message: text,
    Err: text,
    health: oneOf(['unhealthy'] as const),
    ContainerStatus: containerStatus,
    PortStatus: object<{ Ports?: PortConfig[] }>({ Ports: list(portConfig) }, ['Ports']),
  },
  ['Err', 'health', 'ContainerStatus', 'PortStatus'],
);

const platform: Check<Platform> = object<Platform>({ Architecture: text, OS: text }, ['Architecture', 'OS']);

const genericResource: Check<GenericResource> = object<GenericResource>(
  {
    NamedResourceSpec: object<{ Kind: string; Value: string }>({ Kind: text, Value: text }),
    DiscreteResourceSpec: object<{ Kind: string; Value: number }>({ Kind: text, Value: number }),
  },
  ['NamedResourceSpec', 'DiscreteResourceSpec'],
);

const resources: Check<ResourceList> = object<ResourceList>(
  { NanoCPUs: number, MemoryBytes: number, GenericResources: list(genericResource) },
  ['NanoCPUs', 'MemoryBytes', 'GenericResources'],
);

const tlsInfo: Check<TLSInfo> = object<TLSInfo>({
  TrustRoot: text,
  CertIssuerSubject: text,
  CertIssuerPublicKey: text,
});

export const nodeDescription: Check<NodeDescription> = object<NodeDescription>(
  {
    Hostname: text,
    Platform: platform,
    Resources: resources,
    Engine: object<NodeDescription['Engine']>(
      {
        EngineVersion: text,
        Labels: record(text),
        Plugins: list(object<{ Type: string; Name: string }>({ Type: text, Name: text })),
      },
      ['Labels'],
    ),
    TLSInfo: tlsInfo,
  },
  ['TLSInfo'],
);

export const meshReport: Check<MeshReport> = object<MeshReport>({
  tableNumber: number,
  bindErrors: list(
    object<MeshReport['bindErrors'][number]>(
      { publishedPort: number, protocol: oneOf(['tcp', 'udp'] as const), error: text, notice: flag },
      ['notice'],
    ),
  ),
  inFlight: record(number),
});

export const assignment: Check<Assignment> = object<Assignment>(
  {
    taskId: text,
    serviceId: text,
    serviceName: text,
    serviceLabels: record(text),
    slot: number,
    desiredState: oneOf(['ready', 'running', 'complete', 'shutdown', 'remove'] as const),
    unhealthy: flag,
    spec: trusted<TaskSpec>(),
    status: taskStatus,
    hostPorts: list(hostPort),
    hostOptions: trusted<HostOptions>(),
    genericResources: list(genericResource),
    registryAuth: text,
    logDriver: trusted<LogDriver>(),
  },
  ['unhealthy', 'hostOptions', 'genericResources', 'registryAuth', 'logDriver'],
);

const endpoint: Check<Endpoint> = object<Endpoint>({
  taskId: text,
  nodeId: text,
  targetPort: number,
  state: oneOf(['active', 'draining'] as const),
});

const publishedPort: Check<PublishedPort> = object<PublishedPort>(
  {
    publishedPort: number,
    protocol: oneOf(['tcp', 'udp'] as const),
    mode: oneOf(['auto', 'tcp', 'http'] as const),
    serviceId: text,
    serviceName: text,
    balance: oneOf(['least-connections', 'sticky'] as const),
    proxyProtocol: oneOf(['v1', 'v2'] as const),
    maxConnections: number,
    listenOn: text,
    udpTimeout: number,
    hold: object<Hold>({ ms: number, reason: text }),
    endpoints: list(endpoint),
  },
  ['balance', 'proxyProtocol', 'maxConnections', 'listenOn', 'udpTimeout', 'hold'],
);

export const endpointTable: Check<EndpointTable> = object<EndpointTable>({
  number,
  clusterId: text,
  nodes: list(object<MeshPeer>({ nodeId: text, meshAddr: text })),
  ports: list(publishedPort),
});
