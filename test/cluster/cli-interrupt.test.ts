import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { compile, type Compiled } from '../support/compile.js';
import { DaemonApi } from '../support/daemon-api.js';
import { eventually } from '../support/eventually.js';

let program: Compiled;
beforeAll(async () => {
  program = await compile('bin/bale.ts');
});
afterAll(() => program.dispose());

let api: DaemonApi;
const children = new Set<ChildProcess>();
beforeEach(async () => {
  api = await DaemonApi.start();
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  await api.end();
});

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in a process of its own; `see` is told what it has printed so far. */
async function run(words: readonly string[], see?: (out: string, child: ChildProcess) => void): Promise<Ended> {
  const host = `unix://${api.manager.options.socket}`;
  const child = spawn(process.execPath, [program.entry, '-H', host, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    see?.(out, child);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  // Of these arguments by its documentation.
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  children.delete(child);
  return { code, signal, out, err };
}

/** The same with a Ctrl-C once it has printed `sight`. */
function interrupted(sight: RegExp, ...words: readonly string[]): Promise<Ended> {
  let asked = false;
  return run(words, (out, child) => {
    if (!asked && sight.test(out)) asked = child.kill('SIGINT');
  });
}

const leaves = (command: string) => ({
  code: 0,
  signal: null,
  err: '',
  out: expect.stringMatching(
    new RegExp(`\\nOperation continuing in background\\.\\nUse \`bale ${command}\` to check progress\\.\\n$`),
  ) as string,
});

test('Ctrl-C during an update leaves it running and says so', async () => {
  const { ID } = await api.create({ Name: 'web', UpdateConfig: { Monitor: 600e9 } });
  const ended = await interrupted(
    /^overall progress: /m,
    'service',
    'update',
    '--no-resolve-image',
    '--image',
    'bb:2',
    'web',
  );
  expect(ended).toEqual(leaves('service ps web'));
  const { UpdateStatus, Spec } = await api.service(ID);
  expect(UpdateStatus?.State).toBe('updating');
  expect(Spec.TaskTemplate.ContainerSpec.Image).toBe('bb:2');
  await api.until(ID, 'both tasks to be replaced', ({ waiting = [] }) => waiting.length === 0);
});

test('Ctrl-C during a creation leaves the service, which goes on', async () => {
  const argv = ['service', 'create', '--no-resolve-image', '--name', 'web', '--replicas', '3', 'bb:1'];
  const ended = await interrupted(/^verify: Waiting/m, ...argv);
  const [ID = ''] = ended.out.split('\n');
  expect(ended).toEqual(leaves(`service ps ${ID}`));
  const tasks = await api.tasks(ID);
  expect(tasks.map(({ Status }) => Status.State)).toEqual(['running', 'running', 'running']);
});

test('Ctrl-C before anything was written leaves everything as it was', async () => {
  const { ID } = await api.create({ Name: 'web' });
  const before = await api.written();
  for (const argv of [
    ['service', 'create', '--name', 'other', 'bb:9'],
    ['service', 'create', '--with-registry-auth', '--name', 'other', 'bb:9'],
    ['service', 'update', '--image', 'bb:9', ID],
  ]) {
    // A registry that does not answer.
    api.cluster.engine.behave = (request, response) => {
      if (request.url?.includes('/distribution/') === true) for (const child of children) child.kill('SIGINT');
      else response.writeHead(404).end();
    };
    const { code, signal, out } = await run(argv);
    expect({ ended: code !== 0 || signal !== null, out }).toEqual({ ended: true, out: '' });
    expect(await api.written()).toEqual(before);
  }
});

test('Ctrl-C during a drain leaves the node draining', async () => {
  const { ID } = await api.create({ Name: 'web' });
  await api.until(ID, 'its tasks', ({ waiting = [] }) => waiting.length === 0);
  const [node] = await api.nodes();
  // There is no other node that could take them.
  const ended = await interrupted(/^web\.\d: /m, 'node', 'drain', node?.ID ?? '');
  expect(ended).toEqual(leaves(`node ps ${node?.ID ?? ''}`));
  expect((await api.nodes())[0]).toMatchObject({ Spec: { Availability: 'drain' }, drain: { tasksLeft: 2 } });
});

test('Ctrl-C during a rebalance leaves the moves going on', async () => {
  const { ID } = await api.create({ Name: 'web', UpdateConfig: { Monitor: 50e6 } });
  await api.until(ID, 'its tasks', ({ waiting = [] }) => waiting.length === 0);
  const { ID: there } = await api.join('w');
  const ended = await interrupted(/^web\.2: .* -> /m, 'service', 'rebalance', 'web');
  // The moves may have ended before the signal came.
  if (!ended.out.includes('verify: ')) expect(ended).toEqual(leaves('service ps web'));
  await eventually('the move', async () =>
    (await api.tasks(ID)).some(({ NodeID, Status }) => NodeID === there && Status.State === 'running'),
  );
});

test('an explicit start-first that cannot work says so, and ends with the words of the daemon', async () => {
  const { ID } = await api.create({
    Name: 'web',
    Labels: { 'bale.update.progress-deadline': '6s' },
    Mode: { Replicated: { Replicas: 1 } },
    TaskTemplate: { Placement: { MaxReplicas: 1 } },
    UpdateConfig: { Order: 'start-first', Monitor: 50e6 },
  });
  await api.until(ID, 'its task', ({ waiting = [] }) => waiting.length === 0);
  const { code, out, err } = await run(['service', 'update', '--no-resolve-image', '--image', 'bb:2', 'web']);
  expect(out).toMatch(
    /^update: start-first may not work: at most 1 replicas may run on a node; web\.1: start-first cannot go on: no suitable node/m,
  );
  expect(err).toMatch(
    /^service update paused: update paused due to no progress within 6 s: web\.1: start-first cannot/,
  );
  expect(code).toBe(1);
  const ps = await run(['service', 'ps', '--no-trunc', 'web']);
  expect(ps.out).toMatch(/bb:2 .* Running +Pending .*"no suitable node \(.*\)"/);
  expect(ps.out).toMatch(/bb:1 .* Running +Running /);
});
