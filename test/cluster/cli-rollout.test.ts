import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../../cli/main.js';
import { DaemonCluster, type DaemonNode } from '../support/daemon-cluster.js';

let cluster: DaemonCluster;
let manager: DaemonNode;
beforeEach(async () => {
  cluster = await DaemonCluster.start();
  manager = await cluster.node('m');
  expect(await bale('swarm', 'init', '--advertise-addr', '127.0.0.1')).toMatchObject({ code: 0 });
});
afterEach(() => cluster.end());

/** Runs a command on the manager's socket, not on a terminal. */
async function bale(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runCli(['-H', `unix://${manager.options.socket}`, ...words], {
    print: (text) => void out.push(text),
    warn: (text) => void err.push(text),
    terminal: undefined,
  });
  return { code, out: out.join(''), err: err.join('') };
}

const create = (name: string, ...words: string[]) =>
  bale(
    'service',
    'create',
    '-q',
    '--name',
    name,
    '--update-monitor',
    '100ms',
    '--rollback-monitor',
    '100ms',
    ...words,
    'web:1',
  );

const imageOf = async (name: string): Promise<string> =>
  (await bale('service', 'inspect', '-f', '{{.Spec.TaskTemplate.ContainerSpec.Image}}', name)).out.trim();

test('an update replaces every task, and its history leads back', async () => {
  await create('web', '--replicas', '2');
  const update = await bale(
    'service',
    'update',
    '--no-resolve-image',
    '--image',
    'web:2',
    '--env-add',
    'LOG=debug',
    'web',
  );
  expect(update).toMatchObject({ code: 0, err: '' });
  expect(update.out.split('\n')[0]).toBe('web');
  expect(update.out).toContain('overall progress: 2 out of 2 tasks\n');
  expect(update.out).toContain('verify: Service web converged\n');
  expect((await bale('service', 'ps', '-f', 'desired-state=running', '--format', '{{.Image}}', 'web')).out).toBe(
    'web:2\nweb:2\n',
  );

  const versions = (await bale('service', 'history', '-q', 'web')).out.trim().split('\n');
  const rows = (await bale('service', 'history', '--format', '{{.Current}} {{.Change}}', 'web')).out;
  expect(rows).toBe('true image web:1 → web:2, env +LOG\nfalse created\n');

  const back = await bale('service', 'rollback', 'web');
  expect(back).toMatchObject({ code: 0, err: '' });
  expect(back.out).toContain('rollback: manually requested rollback\n');
  expect(back.out).toContain('overall progress: rolling back update: 2 out of 2 tasks\n');
  expect(await imageOf('web')).toBe('web:1');

  const forth = await bale('service', 'rollback', '--to', versions[0] ?? '', 'web');
  expect(forth).toMatchObject({ code: 0, err: '' });
  expect(await imageOf('web')).toBe('web:2');
  expect(await bale('service', 'rollback', '--to', '1', 'web')).toMatchObject({ code: 1 });
});

test('a restart replaces tasks and changes nothing else', async () => {
  await create('web');
  const ids = async (): Promise<string> =>
    (await bale('service', 'ps', '-q', '-f', 'desired-state=running', 'web')).out;
  const before = await ids();
  expect(await bale('service', 'restart', '-q', 'web')).toMatchObject({ code: 0, out: 'web\n', err: '' });
  expect(await ids()).not.toBe(before);
  expect((await bale('service', 'history', '--format', '{{.Change}}', 'web')).out).toBe('restart\ncreated\n');
});

test('several services are scaled under one progress', async () => {
  await create('web');
  await create('worker');
  const scaled = await bale('service', 'scale', 'web=3', 'worker=0');
  expect(scaled).toMatchObject({ code: 0, err: '' });
  expect(scaled.out).toContain('web scaled to 3\nworker scaled to 0\n');
  expect(scaled.out).toContain('web: overall progress: 3 out of 3 tasks\n');
  expect(scaled.out).toContain('web: verify: Service web converged\n');
  expect(scaled.out).toContain('worker: verify: Service worker converged\n');
});

test('a service that is not there does not keep the others from being scaled', async () => {
  await create('web');
  const scaled = await bale('service', 'scale', '-d', 'nothing=1', 'web=2');
  expect(scaled).toMatchObject({ code: 1, out: 'web scaled to 2\n' });
  expect(scaled.err).toContain('nothing');
});

test('--rollback goes with no other flag', async () => {
  await create('web');
  expect(await bale('service', 'update', '--rollback', '--image', 'web:2', 'web')).toMatchObject({
    code: 1,
    err: 'other flags may not be combined with --rollback\n',
  });
  expect(await bale('service', 'update', '--rollback', 'web')).toMatchObject({ code: 1 });
});

test('a node is drained until it is empty, and takes tasks again', async () => {
  const worker = await cluster.node('w');
  const token = (await bale('swarm', 'join-token', '-q', 'worker')).out.trim();
  const join = ['-H', `unix://${worker.options.socket}`, 'swarm', 'join', '--token', token, manager.listenAddr];
  expect(await runCli(join, { print: () => undefined, warn: () => undefined, terminal: undefined })).toBe(0);
  // A simulated Engine's hostname is the id of its node.
  const idOf = async (self: boolean): Promise<string> => {
    const { out } = await bale('node', 'ls', '--format', '{{.Self}} {{.ID}}');
    return new RegExp(`^${self} (\\w+)$`, 'm').exec(out)?.[1] ?? '';
  };
  const [m, w] = [await idOf(true), await idOf(false)];
  await create('web', '--replicas', '4');
  const nodes = async (): Promise<string[]> => {
    const { out } = await bale('service', 'ps', '-f', 'desired-state=running', '--format', '{{.Node}}', 'web');
    return out.trim().split('\n').sort();
  };
  expect(await nodes()).toEqual([m, m, w, w].sort());
  const drained = await bale('node', 'drain', w);
  expect(drained).toMatchObject({ code: 0, err: '' });
  expect(drained.out).toMatch(/^web\.\d: running, waiting for its replacement$/m);
  expect(drained.out).toContain(`verify: Node ${w} is empty\n`);
  expect(await nodes()).toEqual([m, m, m, m]);

  expect(await bale('node', 'update', '--label-add', 'disk=ssd', w)).toMatchObject({ code: 0, out: `${w}\n` });
  expect(await bale('node', 'activate', w)).toMatchObject({ code: 0, out: `${w}\n` });
  const format = '{{.Spec.Availability}} {{.Spec.Labels}}';
  expect((await bale('node', 'inspect', '-f', format, w)).out).toBe('active map[disk:ssd]\n');
  expect(await bale('node', 'drain', '--deadline', '1m', '--max-parallel', '2', w)).toMatchObject({ code: 0, err: '' });
  expect((await bale('node', 'inspect', '--pretty', w)).out).toMatch(
    /Tasks left:\s+0\n Deadline:.*\n Moved at once:\s+2/,
  );
  const refused = await bale('node', 'drain', '--deadline', '-1m', w);
  expect(refused).toMatchObject({ code: 1, out: '' });
  expect(refused.err).toContain('--deadline');
  expect(await bale('node', 'activate', w)).toMatchObject({ code: 0 });

  const balanced = await bale('service', 'rebalance', 'web');
  expect(balanced).toMatchObject({ code: 0, err: '' });
  const reason = (had: number, has: number) =>
    `: ${m} -> ${w}: node ${m} has ${had} tasks of the service, node ${w} has ${has}`;
  expect(balanced.out).toContain(reason(4, 0));
  expect(balanced.out).toContain(reason(3, 1));
  expect(balanced.out).toContain('web: 2 of 2 moved\nverify: Service web is balanced\n');
  expect(await nodes()).toEqual([m, m, w, w].sort());
  expect(await bale('service', 'rebalance')).toMatchObject({ code: 0, out: 'web: already balanced\n', err: '' });
  expect(await bale('service', 'rebalance', 'nothing')).toMatchObject({ code: 1, out: '' });

  const promoted = await bale('node', 'promote', w);
  expect(promoted).toMatchObject({ code: 1, out: '' });
  expect(promoted.err).toContain('Role');
  expect((await bale('node', 'promote', m)).out).toBe(`Node ${m} is already a manager.\n`);
  expect((await bale('node', 'demote', w)).out).toBe(`Node ${w} is already a worker.\n`);
});
