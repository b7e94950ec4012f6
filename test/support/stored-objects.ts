import type { NodeObject, ServiceObject, TaskObject } from '../../manager/store/objects.js';
import type { Draft } from '../../manager/store/store-types.js';
import type { PortConfig, ServiceMode } from '../../proto/engine/service-spec.js';

const META = { version: 1, createdAt: 0, updatedAt: 0 };

/** A published TCP port as the manager allots it. */
export const ingressPort = (publishedPort: number, targetPort: number): PortConfig => ({
  Protocol: 'tcp',
  TargetPort: targetPort,
  PublishedPort: publishedPort,
  PublishMode: 'ingress',
});

interface ServiceOptions {
  readonly name?: string;
  readonly ports?: readonly PortConfig[];
  readonly labels?: Record<string, string>;
  readonly replicas?: number;
  /** Instead of `replicas`. */
  readonly mode?: ServiceMode;
}

export const draftService = (
  id: string,
  { name = id, ports = [], labels = {}, replicas = 1, mode }: ServiceOptions = {},
): Draft<ServiceObject> => ({
  id,
  spec: {
    Name: name,
    Labels: labels,
    TaskTemplate: { ContainerSpec: { Image: 'image' } },
    Mode: mode ?? { Replicated: { Replicas: replicas } },
  },
  ports,
});

export const draftNode = (id: string, fields: Partial<Draft<NodeObject>> = {}): Draft<NodeObject> => ({
  id,
  spec: { Labels: {}, Role: 'worker', Availability: 'active' },
  status: { state: 'ready', message: '', addr: '127.0.0.1' },
  certificateExpiry: 0,
  portErrors: [],
  ...fields,
});

export const draftTask = (
  id: string,
  serviceId: string,
  fields: Partial<Draft<TaskObject>> = {},
): Draft<TaskObject> => ({
  id,
  spec: { ContainerSpec: { Image: 'image' } },
  serviceId,
  serviceName: serviceId,
  serviceLabels: {},
  slot: 1,
  serviceVersion: 1,
  hostPorts: [],
  desiredState: 'running',
  status: { Timestamp: '2026-01-01T00:00:00.000Z', State: 'pending', Message: '' },
  restarts: [],
  ...fields,
});

/** Rows as they stand in the store, for journals and deciders. */
export const storedService = (id: string, options?: ServiceOptions): ServiceObject => ({
  ...META,
  ...draftService(id, options),
});
export const storedNode = (id: string, fields?: Partial<Draft<NodeObject>>): NodeObject => ({
  ...META,
  ...draftNode(id, fields),
});
export const storedTask = (id: string, serviceId: string, fields?: Partial<Draft<TaskObject>>): TaskObject => ({
  ...META,
  ...draftTask(id, serviceId, fields),
});
