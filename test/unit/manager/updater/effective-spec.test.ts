import { describe, expect, test } from 'vitest';
import { effectiveDigest, hostPortsOf, isUpToDate } from '../../../../manager/updater/effective-spec.js';
import { chooseOrder } from '../../../../manager/updater/update-order.js';
import type { ContainerSpec, Mount } from '../../../../proto/engine/container-spec.js';
import type { PortConfig } from '../../../../proto/engine/service-spec.js';
import type { TaskSpec } from '../../../../proto/engine/task-spec.js';
import { ingressPort, storedService } from '../../../support/stored-objects.js';

const spec = (container: Partial<ContainerSpec>, over: Partial<TaskSpec> = {}): TaskSpec => ({
  ContainerSpec: { Image: 'v1', ...container },
  ...over,
});

const volume = (Source: string, ReadOnly = false): Mount => ({
  Type: 'volume',
  Source,
  Target: `/${Source}`,
  ReadOnly,
});

describe('the effective spec', () => {
  test.each<[string, TaskSpec, TaskSpec]>([
    ['the order of variables', spec({ Env: ['A=1', 'B=2'] }), spec({ Env: ['B=2', 'A=1'] })],
    ['a variable that is set again', spec({ Env: ['A=1', 'A=2'] }), spec({ Env: ['A=2'] })],
    ['the order of mounts', spec({ Mounts: [volume('a'), volume('b')] }), spec({ Mounts: [volume('b'), volume('a')] })],
    ['the order of keys', spec({ Labels: { a: '1', b: '2' } }), spec({ Labels: { b: '2', a: '1' } })],
    ['the default grace', spec({}), spec({ StopGracePeriod: 10e9 })],
    ['the default restart policy', spec({}), spec({}, { RestartPolicy: { Condition: 'any', Delay: 5e9 } })],
    ['the default runtime', spec({}), spec({ Isolation: 'default' }, { Runtime: 'container' })],
    ['empty parts', spec({}), spec({ Args: [], DNSConfig: {} }, { Resources: { Limits: {} }, ForceUpdate: 0 })],
    ['init not said', spec({}), spec({ Init: null })],
  ])('is the same whatever %s', (_what, a, b) => {
    expect(effectiveDigest(a)).toBe(effectiveDigest(b));
  });

  test.each<[string, TaskSpec, TaskSpec]>([
    ['image', spec({}), spec({ Image: 'v2' })],
    ['order of arguments', spec({ Args: ['a', 'b'] }), spec({ Args: ['b', 'a'] })],
    ['value of a variable', spec({ Env: ['A=1'] }), spec({ Env: ['A=2'] })],
    ['an empty variable', spec({}), spec({ Env: ['A='] })],
    ['an empty label', spec({}), spec({ Labels: { a: '' } })],
    ['no grace at all', spec({}), spec({ StopGracePeriod: 0 })],
    ['no restart delay', spec({}), spec({}, { RestartPolicy: { Delay: 0 } })],
    ['no init process', spec({}), spec({ Init: false })],
    ['a forced update', spec({}), spec({}, { ForceUpdate: 1 })],
    ['a limit', spec({}), spec({}, { Resources: { Limits: { MemoryBytes: 2 ** 24 } } })],
  ])('tells %s apart', (_what, a, b) => {
    expect(effectiveDigest(a)).not.toBe(effectiveDigest(b));
  });
});

describe('the order of an update', () => {
  const port = (PublishedPort: number) => ({ TargetPort: 80, PublishedPort, PublishMode: 'host' as const });

  test.each([
    ['start-first', 'nothing stands against it', spec({}), []],
    ['stop-first', 'a host-mode port is taken', spec({}), [port(80)]],
    ['start-first', 'the Engine chooses the host-mode port', spec({}), [port(0)]],
    ['stop-first', 'a volume is written', spec({ Mounts: [volume('data')] }), []],
    ['start-first', 'a volume is only read', spec({ Mounts: [volume('data', true)] }), []],
    ['start-first', 'a volume has no name', spec({ Mounts: [{ Type: 'volume', Target: '/x' }] }), []],
    ['start-first', 'memory is mounted', spec({ Mounts: [{ Type: 'tmpfs', Target: '/x' }] }), []],
    ['stop-first', 'replicas per node are limited', spec({}, { Placement: { MaxReplicas: 1 } }), []],
  ])('is %s when %s', (order, _why, task, hostPorts) => {
    const choice = chooseOrder(undefined, { spec: task, hostPorts });
    expect(choice).toMatchObject({ order, explicit: false });
    expect(choice.obstacle === undefined).toBe(order === 'start-first');
  });

  test('is as the user says, with what stands against it', () => {
    expect(chooseOrder('start-first', { spec: spec({}), hostPorts: [port(80)] })).toEqual({
      order: 'start-first',
      explicit: true,
      obstacle: 'host-mode port 80/tcp cannot be bound twice',
    });
  });
});

describe('a label with the address of a port', () => {
  const service = (ports: readonly PortConfig[], labels: Record<string, string> = {}) =>
    storedService('web', { ports, labels });
  const hostPort: PortConfig = { ...ingressPort(8080, 80), PublishMode: 'host' };
  const label = { 'bale.port.80.ip': '10.0.0.0/8' };

  test('is the business of tasks where the Engine binds the port, so changing it replaces them', () => {
    const [before, after] = [service([hostPort]), service([hostPort], label)];
    expect(hostPortsOf(after)).toEqual([{ ...hostPort, HostIp: '10.0.0.0/8' }]);
    const task = { spec: before.spec.TaskTemplate, hostPorts: hostPortsOf(before) };
    expect([isUpToDate(task, before, undefined), isUpToDate(task, after, undefined)]).toEqual([true, false]);
  });

  test('is none of theirs where the mesh listens', () => {
    const after = service([ingressPort(8080, 80)], label);
    const task = { spec: after.spec.TaskTemplate, hostPorts: [] };
    expect(isUpToDate(task, after, undefined)).toBe(true);
  });
});
