import { containerSpecShape } from './container-spec-shape.js';
import { always, document, field, pointer, refused, struct } from './document-shape.js';
import { logDriverShape } from './log-driver-shape.js';
import { count, limited, list, text, whole, word } from './shape.js';
import type {
  GenericResource,
  Placement,
  Platform,
  ResourceList,
  ResourceRequirements,
  RestartPolicy,
  TaskSpec,
} from './task-spec.js';

const genericResource = document<GenericResource>({
  NamedResourceSpec: pointer(
    document<NonNullable<GenericResource['NamedResourceSpec']>>({ Kind: always(text, ''), Value: always(text, '') }),
  ),
  DiscreteResourceSpec: pointer(
    document<NonNullable<GenericResource['DiscreteResourceSpec']>>({ Kind: always(text, ''), Value: always(whole, 0) }),
  ),
});

const resources = document<ResourceRequirements>({
  Limits: pointer(
    document<NonNullable<ResourceRequirements['Limits']>>({
      NanoCPUs: field(whole),
      MemoryBytes: field(whole),
      Pids: field(whole),
    }),
  ),
  Reservations: pointer(
    document<ResourceList>({
      NanoCPUs: field(whole),
      MemoryBytes: field(whole),
      GenericResources: field(list(genericResource)),
    }),
  ),
  // Pointers in the API: a 0 that was sent means "no swap", not "nothing asked for".
  SwapBytes: pointer(whole),
  MemorySwappiness: pointer(whole),
});

const restartPolicy = document<RestartPolicy>({
  Condition: field(word('none', 'on-failure', 'any')),
  Delay: pointer(whole),
  MaxAttempts: pointer(count),
  Window: pointer(whole),
});

const preference = document<NonNullable<Placement['Preferences']>[number]>({
  Spread: struct(document<{ SpreadDescriptor: string }>({ SpreadDescriptor: always(text, '') })),
});

const placement = document<Placement>({
  Constraints: field(list(text)),
  Preferences: field(list(preference)),
  MaxReplicas: field(count),
  Platforms: field(list(document<Platform>({ Architecture: field(text), OS: field(text) }))),
});

/** What this version does with each field of a TaskSpec. */
export const taskSpecShape = document<TaskSpec>({
  ContainerSpec: struct(containerSpecShape),
  PluginSpec: refused('bale runs containers only'),
  NetworkAttachmentSpec: refused('bale runs containers only'),
  Resources: pointer(resources),
  RestartPolicy: pointer(restartPolicy),
  Placement: pointer(placement),
  Networks: refused("bale attaches tasks to the Engine's bridge only"),
  LogDriver: pointer(logDriverShape),
  ForceUpdate: always(count, 0),
  Runtime: always(
    limited(word('container', 'plugin', 'attachment'), (kind) => kind === 'container', 'bale runs containers only'),
    'container',
  ),
});
