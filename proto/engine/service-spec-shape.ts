import { z } from 'zod';
import { always, document, field, pointer, refused, struct } from './document-shape.js';
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
    limited(word('tcp', 'udp', 'sctp'), (protocol) => protocol !== 'sctp', 'ports are tcp or udp'),
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

/** `{}`: that it is there says all. */
const nothing = document<Record<string, never>>({});

const ONE_MODE = 'must specify only one service mode';

const givenMode = document<ServiceMode>(
  {
    Replicated: pointer(document<NonNullable<ServiceMode['Replicated']>>({ Replicas: always(count, 1) })),
    Global: pointer(nothing),
    ReplicatedJob: pointer(
      document<NonNullable<ServiceMode['ReplicatedJob']>>({
        MaxConcurrent: always(count, 1),
        TotalCompletions: pointer(count),
      }),
    ),
    GlobalJob: pointer(nothing),
  },
  (value) => (Object.values(value).filter((one) => one !== undefined).length > 1 ? ONE_MODE : undefined),
);

/** A mode under no name of the API: the Engine would run one replica instead. */
function refuseUnknownMode(value: unknown, context: z.RefinementCtx): unknown {
  const names = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  const known = new Set(Object.keys(givenMode.fields ?? {}).map((name) => name.toLowerCase()));
  if (names.length > 0 && !names.some((name) => known.has(name.toLowerCase()))) {
    context.addIssue({ code: 'custom', message: `unknown mode "${names.join('", "')}"` });
  }
  return value;
}

/** No mode at all is one replica; a job without a number of completions runs each of its tasks once. */
function withDefaults(given: ServiceMode): ServiceMode {
  if (given.ReplicatedJob !== undefined) {
    const { MaxConcurrent = 1, TotalCompletions = MaxConcurrent } = given.ReplicatedJob;
    return { ReplicatedJob: { MaxConcurrent, TotalCompletions } };
  }
  return Object.keys(given).length === 0 ? { Replicated: { Replicas: 1 } } : given;
}

const mode: Shape<ServiceMode> = {
  ...givenMode,
  schema: z.preprocess(refuseUnknownMode, givenMode.schema).transform(withDefaults),
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
