import { timestamp } from '../../core/clock.js';
import type { PortError } from '../../proto/engine/node-document.js';
import { insertServiceDefaults } from '../../proto/engine/service-defaults.js';
import type { JobStatus, ServiceDocument, ServiceStatus } from '../../proto/engine/service-document.js';
import { nextDue } from '../schedule/next-due.js';
import type { JobRun, ServiceObject } from '../store/objects.js';
import { objectMeta } from './object-meta.js';

export interface ShownWith {
  /** Adds what the Engine means by the absent fields of the spec. */
  readonly insertDefaults: boolean;
  readonly status?: ServiceStatus;
  /** Nodes on which a published port of it could not be bound. */
  readonly portErrors: readonly PortError[];
  /** What its slots wait for. */
  readonly waiting?: readonly string[];
  /** What its tasks are warned of. */
  readonly warnings?: readonly string[];
}

/** A row as `GET /services` shows it. */
export function serviceDocument(service: ServiceObject, shown: ShownWith): ServiceDocument {
  const { spec, ports } = service;
  const next = nextDue(service);
  return {
    ...objectMeta(service),
    Spec: shown.insertDefaults ? insertServiceDefaults(spec) : spec,
    ...(service.previousSpec === undefined ? {} : { PreviousSpec: service.previousSpec }),
    // Without ports the Engine shows an empty one whatever the spec says.
    Endpoint: ports.length === 0 ? { Spec: {} } : { Spec: spec.EndpointSpec ?? {}, Ports: [...ports] },
    ...(service.updateStatus === undefined ? {} : { UpdateStatus: service.updateStatus }),
    ...(service.job === undefined ? {} : { JobStatus: jobStatus(service.job) }),
    ...(next === undefined ? {} : { nextRun: timestamp(next) }),
    ...(shown.status === undefined ? {} : { ServiceStatus: shown.status }),
    ...(shown.portErrors.length === 0 ? {} : { portErrors: [...shown.portErrors] }),
    ...(shown.waiting === undefined || shown.waiting.length === 0 ? {} : { waiting: [...shown.waiting] }),
    ...(shown.warnings === undefined || shown.warnings.length === 0 ? {} : { warnings: [...shown.warnings] }),
  };
}

/** How Go writes a time that was never set: clients of the Engine read it as "never". */
const GO_ZERO_TIME = '0001-01-01T00:00:00Z';

const jobStatus = ({ iteration, startedAt }: JobRun): JobStatus => ({
  JobIteration: { Index: iteration },
  LastExecution: startedAt === undefined ? GO_ZERO_TIME : timestamp(startedAt),
});
