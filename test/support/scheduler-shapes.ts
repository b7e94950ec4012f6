import fc from 'fast-check';
import type { TaskObject } from '../../manager/store/objects.js';
import type { Draft } from '../../manager/store/store-types.js';
import { GIB } from '../unit/manager/scheduler/scheduler-nodes.js';
import { draftTask, ingressPort } from './stored-objects.js';

/** Random swarms for the properties of the scheduler. */

export interface ServiceShape {
  readonly count: number;
  readonly cpus: number;
  readonly memory: number;
  readonly hostPort: number | undefined;
  readonly gpus: number;
  readonly maxReplicas: number;
  readonly constraints: readonly string[];
  readonly spreads: readonly string[];
  /** A task for each of the first so many nodes, and for no other, `count` of them. */
  readonly global: boolean;
}

const nodeShape = fc.record({
  cpus: fc.integer({ min: 0, max: 8 }),
  memory: fc.integer({ min: 0, max: 16 }).map((gib) => gib * GIB),
  state: fc.constantFrom('ready' as const, 'ready' as const, 'down' as const),
  generics: fc.constantFrom([], ['gpu=3'], ['gpu=u1,gpu=u2']),
  labels: fc.record({ zone: fc.constantFrom('a', 'b', 'c'), rack: fc.constantFrom('1', '2') }, { requiredKeys: [] }),
});
const serviceShape: fc.Arbitrary<ServiceShape> = fc.record({
  count: fc.integer({ min: 0, max: 12 }),
  cpus: fc.constantFrom(0, 0.5, 2),
  memory: fc.constantFrom(0, GIB / 2, 3 * GIB),
  hostPort: fc.option(fc.constantFrom(80, 443), { nil: undefined }),
  gpus: fc.constantFrom(0, 0, 1, 2),
  maxReplicas: fc.constantFrom(0, 0, 1, 3),
  constraints: fc.constantFrom([], ['node.labels.zone != c'], ['node.labels.zone in (a, b)', 'node.labels.rack == 1']),
  spreads: fc.constantFrom([], ['node.labels.zone'], ['node.labels.zone', 'node.labels.rack']),
  global: fc.constantFrom(false, false, false, true),
});
export interface ClusterShape {
  readonly nodes: readonly {
    readonly cpus: number;
    readonly memory: number;
    readonly state: 'ready' | 'down';
    readonly generics: readonly string[];
    readonly labels: { readonly zone?: string; readonly rack?: string };
  }[];
  readonly services: readonly ServiceShape[];
  /** Tasks (by number) that end between the first pass and the second. */
  readonly endings: readonly number[];
}
export const cluster: fc.Arbitrary<ClusterShape> = fc.record({
  nodes: fc.array(nodeShape, { maxLength: 6 }),
  services: fc.array(serviceShape, { maxLength: 5 }),
  endings: fc.array(fc.nat(60), { maxLength: 10 }),
});

export const tasksOf = (services: readonly ServiceShape[]): readonly Draft<TaskObject>[] =>
  services.flatMap(({ count, cpus, memory, hostPort, ...more }, service) =>
    Array.from({ length: count }, (_, index) =>
      draftTask(`s${service}.${index}`, `s${service}`, {
        slot: index + 1,
        ...(more.global ? { pinnedTo: `n${index}` } : {}),
        hostPorts: hostPort === undefined ? [] : [{ ...ingressPort(hostPort, 80), PublishMode: 'host' as const }],
        spec: {
          ContainerSpec: { Image: 'image' },
          Resources: {
            Reservations: {
              NanoCPUs: cpus * 1e9,
              MemoryBytes: memory,
              GenericResources: more.gpus === 0 ? [] : [{ DiscreteResourceSpec: { Kind: 'gpu', Value: more.gpus } }],
            },
          },
          Placement: {
            Constraints: [...more.constraints],
            MaxReplicas: more.maxReplicas,
            Preferences: more.spreads.map((SpreadDescriptor) => ({ Spread: { SpreadDescriptor } })),
          },
        },
      }),
    ),
  );
