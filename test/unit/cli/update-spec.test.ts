import { describe, expect, it } from 'vitest';
import { updatedSpec, type UpdateFlags } from '../../../cli/flags/update-spec.js';
import type { ServiceSpec } from '../../../proto/engine/service-spec.js';

const SPEC: ServiceSpec = {
  Name: 'web',
  Labels: { a: '1', b: '2' },
  TaskTemplate: {
    ContainerSpec: {
      Image: 'v1',
      Env: ['A=1', 'B=2'],
      Mounts: [{ Type: 'volume', Source: 'x', Target: '/x' }],
    },
    RestartPolicy: { Condition: 'on-failure', MaxAttempts: 3 },
    Resources: { Limits: { NanoCPUs: 1e9 } },
  },
  Mode: { Replicated: { Replicas: 2 } },
  EndpointSpec: { Mode: 'vip', Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080 }] },
};

const update = (flags: UpdateFlags) => updatedSpec(SPEC, flags, { HOME: '/root' });

describe('service update', () => {
  it('without flags asks for what is there', async () => {
    expect(await update({})).toMatchObject(SPEC);
    expect(await update({})).not.toHaveProperty('UpdateConfig');
  });

  it.each<[string, UpdateFlags, object]>([
    ['an image', { image: 'v2' }, { TaskTemplate: { ContainerSpec: { Image: 'v2', Env: ['A=1', 'B=2'] } } }],
    ['arguments', { args: 'sh -c "a b"' }, { TaskTemplate: { ContainerSpec: { Args: ['sh', '-c', 'a b'] } } }],
    ['replicas', { replicas: '5' }, { Mode: { Replicated: { Replicas: 5 } } }],
    ['force', { force: true }, { TaskTemplate: { ForceUpdate: 1 } }],
    [
      'variables',
      { envAdd: ['A=9', 'HOME'], envRm: ['B'] },
      { TaskTemplate: { ContainerSpec: { Env: ['A=9', 'HOME=/root'] } } },
    ],
    ['labels', { labelAdd: ['c=3'], labelRm: ['a'] }, { Labels: { b: '2', c: '3' } }],
    [
      'mounts',
      { mountAdd: ['type=volume,source=y,target=/y'], mountRm: ['/x'] },
      { TaskTemplate: { ContainerSpec: { Mounts: [{ Type: 'volume', Source: 'y', Target: '/y' }] } } },
    ],
    [
      'ports',
      { publishAdd: ['81:81'], publishRm: ['80'] },
      { EndpointSpec: { Ports: [{ TargetPort: 81, PublishedPort: 81 }] } },
    ],
    [
      'the restart policy, the rest of it kept',
      { restartDelay: '1s' },
      { TaskTemplate: { RestartPolicy: { Condition: 'on-failure', MaxAttempts: 3, Delay: 1e9 } } },
    ],
    [
      'limits, the rest of them kept',
      { limitMemory: '64m' },
      { TaskTemplate: { Resources: { Limits: { NanoCPUs: 1e9, MemoryBytes: 64 * 2 ** 20 } } } },
    ],
    [
      'how it is updated: one at a time unless said otherwise, and no order',
      { updateFailureAction: 'rollback' },
      { UpdateConfig: { Parallelism: 1, FailureAction: 'rollback' } },
    ],
    [
      'how it is rolled back',
      { rollbackParallelism: '0', rollbackOrder: 'stop-first' },
      { RollbackConfig: { Parallelism: 0, Order: 'stop-first' } },
    ],
  ])('changes %s', async (_what, flags, expected) => {
    expect(await update(flags)).toMatchObject(expected);
  });

  it.each<[UpdateFlags, RegExp]>([
    [{ updateOrder: 'first' }, /--update-order/],
    [{ updateFailureAction: 'stop' }, /--update-failure-action/],
    [{ updateMaxFailureRatio: '2' }, /--update-max-failure-ratio/],
    [{ publishRm: ['http'] }, /--publish-rm/],
  ])('refuses %j', async (flags, message) => {
    await expect(update(flags)).rejects.toThrow(message);
  });
});
