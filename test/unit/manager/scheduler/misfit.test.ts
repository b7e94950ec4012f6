import { describe, expect, test } from 'vitest';
import { misfitOf, misfits } from '../../../../manager/scheduler/misfit.js';
import type { TaskObject } from '../../../../manager/store/objects.js';
import type { Placement, TaskSpec } from '../../../../proto/engine/task-spec.js';
import { storedTask } from '../../../support/stored-objects.js';
import { GIB, nodeOf } from './scheduler-nodes.js';

const spec = (Placement: Placement, memory = 0): TaskSpec => ({
  ContainerSpec: { Image: 'image' },
  Placement,
  Resources: { Reservations: { MemoryBytes: memory } },
});
const ssd = spec({ Constraints: ['node.labels.disk==ssd'] });
const labelled = (labels: Record<string, string>) => {
  const node = nodeOf('h1', { memory: 4 * GIB });
  return { ...node, spec: { ...node.spec, Labels: labels } };
};
const task = (id: string, own: TaskSpec, fields: Partial<TaskObject> = {}): TaskObject => ({
  ...storedTask(id, 'web', { nodeId: 'h1', spec: own }),
  ...fields,
});
const own = ({ spec: asked }: TaskObject): TaskSpec => asked;
const ids = (...args: Parameters<typeof misfits>): readonly string[] => misfits(...args).map(({ task: { id } }) => id);

describe('a task fits its node', () => {
  test('while its constraints and platforms hold', () => {
    expect(misfitOf(ssd, labelled({ disk: 'ssd' }))).toBeUndefined();
    expect(misfitOf(ssd, labelled({ disk: 'hdd' }))).toBe(
      'node h1 no longer meets the constraint node.labels.disk==ssd',
    );
    expect(misfitOf(spec({ Platforms: [{ OS: 'linux', Architecture: 'arm64' }] }), labelled({}))).toContain(
      'linux/x86_64',
    );
  });

  test('whatever the state and the availability of the node are', () => {
    expect(misfitOf(spec({}), nodeOf('h1', { state: 'down', availability: 'drain' }))).toBeUndefined();
  });
});

describe('of the tasks of a node', () => {
  test('only those whose constraint broke are named', () => {
    const tasks = [task('a', ssd), task('b', spec({}))];
    expect(misfits(labelled({}), tasks, own)).toEqual([
      { task: tasks[0], reason: 'node h1 no longer meets the constraint node.labels.disk==ssd' },
    ]);
    expect(ids(labelled({ disk: 'ssd' }), tasks, own)).toEqual([]);
  });

  test('the spec that the service has now decides', () => {
    expect(ids(labelled({}), [task('a', spec({}))], () => ssd)).toEqual(['a']);
  });

  test('one that is going already is not named, but holds its room', () => {
    const big = spec({}, 3 * GIB);
    const going = task('a', big, { desiredState: 'shutdown' });
    expect(ids(labelled({}), [going, task('b', big, { createdAt: 1 })], own)).toEqual(['b']);
    expect(ids(labelled({}), [task('a', ssd, { desiredState: 'shutdown' })], own)).toEqual([]);
  });

  test('the oldest stay when the machine has shrunk, and what reserves nothing stays', () => {
    const big = spec({}, 3 * GIB);
    const tasks = [
      task('new', big, { createdAt: 2 }),
      task('old', big, { createdAt: 1 }),
      task('free', spec({}), { createdAt: 3 }),
    ];
    expect(misfits(labelled({}), tasks, own)).toEqual([
      { task: tasks[0], reason: 'node h1 no longer has what its tasks reserve' },
    ]);
  });

  test('those whose generic resources are gone are named', () => {
    const holding = (id: string, kind: string) =>
      task(id, spec({}), { genericResources: [{ NamedResourceSpec: { Kind: kind, Value: 'u1' } }] });
    const node = nodeOf('h1', { generics: ['gpu=u1', 'gpu=u2'] });
    expect(misfits(node, [holding('a', 'gpu'), holding('b', 'fpga')], own)).toEqual([
      { task: holding('b', 'fpga'), reason: 'node h1 no longer has fpga=u1' },
    ]);
    const two = task('c', spec({}), { genericResources: [{ DiscreteResourceSpec: { Kind: 'gpu', Value: 2 } }] });
    expect(ids(nodeOf('h1', { generics: ['gpu=1'] }), [two], own)).toEqual(['c']);
    expect(ids(nodeOf('h1', { generics: ['gpu=2'] }), [two], own)).toEqual([]);
  });

  test('the oldest stay when fewer replicas may be on a node', () => {
    const one = spec({ MaxReplicas: 1 });
    const tasks = [task('b', one, { createdAt: 2 }), task('a', one, { createdAt: 1 })];
    expect(misfits(labelled({}), tasks, own)).toEqual([
      { task: tasks[0], reason: 'at most 1 replicas may be on node h1' },
    ]);
    const other = { ...task('c', one), serviceId: 'api' };
    expect(ids(labelled({}), [task('a', one), other], own)).toEqual([]);
  });
});
