import { always, document, field, pointer, refused, refusedIfPresent, struct } from './document-shape.js';
import type { EndpointSpec, PortConfig, ServiceMode, ServiceSpec, UpdateConfig } from './service-spec.js';
import { count, fraction, limited, list, text, textMap, whole, word, type Shape } from './shape.js';
import { taskSpecShape } from './task-spec-shape.js';

const updateConfig = document<UpdateConfig>({
  Parallelism: always(count, 0),
  Delay: field(whole),
  FailureAction: field(word('pause', 'continue', 'rollback')),
  Monitor: field(whole),
  MaxFailureRatio: always(fraction, 0),
  Order: field(word('start-first', 'stop-first')),
});

const portConfig = document<PortConfig>({
  Name: field(text),
  Protocol: always(
    limited(word('tcp', 'udp', 'sctp'), (protocol) => protocol !== 'sctp', 'ports are tcp, or udp in host mode'),
    'tcp',
  ),
  TargetPort: field(count),
  PublishedPort: field(count),
  PublishMode: always(word('ingress', 'host'), 'ingress'),
});

const endpointSpec = document<EndpointSpec>({
  Mode: always(
    limited(word('vip', 'dnsrr'), (mode) => mode === 'vip', 'services have no DNS names in this version'),
    'vip',
  ),
  Ports: field(list(portConfig)),
});

const ONE_MODE = 'must specify only one service mode';

const givenMode = document<ServiceMode>(
  {
    Replicated: pointer(document<NonNullable<ServiceMode['Replicated']>>({ Replicas: always(count, 1) })),
    Global: refusedIfPresent('services are replicated only'),
    ReplicatedJob: refusedIfPresent('services are replicated only'),
    GlobalJob: refusedIfPresent('services are replicated only'),
  },
  (value) => (Object.values(value).filter((one) => one !== undefined).length > 1 ? ONE_MODE : undefined),
);

/** No mode at all is one replica. */
const mode: Shape<ServiceMode> = {
  ...givenMode,
  schema: givenMode.schema.transform((given) => ({ Replicated: given.Replicated ?? { Replicas: 1 } })),
};

/** What this version does with each field of a ServiceSpec. */
export const serviceSpecShape = document<ServiceSpec>({
  Name: always(text, ''),
  Labels: always(textMap, {}),
  TaskTemplate: struct(taskSpecShape),
  Mode: struct(mode),
  UpdateConfig: pointer(updateConfig),
  RollbackConfig: pointer(updateConfig),
  EndpointSpec: pointer(endpointSpec),
  Networks: refused("bale attaches tasks to the Engine's bridge only"),
});
