import type { ServiceDocument } from '../../proto/engine/service-document.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';

const TIME = '2026-01-01T00:00:00.000Z';
const meta = (ID: string): { ID: string; Version: { Index: number }; CreatedAt: string; UpdatedAt: string } => ({
  ID,
  Version: { Index: 1 },
  CreatedAt: TIME,
  UpdatedAt: TIME,
});

/** A replicated service of the API with what a test cares about replaced. */
export const serviceDocument = (
  name: string,
  replicas: number,
  fields: Partial<ServiceDocument> = {},
): ServiceDocument => ({
  ...meta(name),
  Spec: {
    Name: name,
    Labels: {},
    TaskTemplate: { ContainerSpec: { Image: 'image:1' } },
    Mode: { Replicated: { Replicas: replicas } },
  },
  Endpoint: { Spec: {} },
  ...fields,
});

/** A task of the API with what a test cares about replaced. */
export const taskDocument = (id: string, fields: Partial<TaskDocument> = {}): TaskDocument => ({
  ...meta(id),
  Labels: {},
  Spec: { ContainerSpec: { Image: 'image:1' } },
  ServiceID: 'service',
  Slot: 1,
  Status: { Timestamp: TIME, State: 'running', Message: 'started' },
  DesiredState: 'running',
  ...fields,
});
