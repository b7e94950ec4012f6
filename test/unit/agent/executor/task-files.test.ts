import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isInMemory } from '../../../../agent/executor/memory-directory.js';
import { taskFiles, type TaskFile } from '../../../../agent/executor/task-file.js';
import { TaskFiles } from '../../../../agent/executor/task-files.js';
import type { Payload } from '../../../../proto/payload.js';
import { assignment } from '../../../support/assignments.js';

const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const file = (name: string, text: string, mode = 0o440): TaskFile => ({
  name,
  target: `/${name}`,
  ...own,
  mode,
  data: Buffer.from(text),
});

describe('files on the host', () => {
  let root: string;
  let files: TaskFiles;
  beforeEach(async () => {
    root = await mkdtemp('/dev/shm/bale-files-');
    files = new TaskFiles(join(root, 'node'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  test('have their data, owner and mode, in memory, in a directory that is its owner’s alone', async () => {
    await files.provide('t1', [file('0', 'one'), file('1', 'two', 0o4400)]);
    expect(await readFile(files.path('t1', '0'), 'utf8')).toBe('one');
    const { mode, uid, gid } = await stat(files.path('t1', '1'));
    expect([mode & 0o7777, uid, gid]).toEqual([0o4400, own.uid, own.gid]);
    expect((await stat(join(root, 'node'))).mode & 0o777).toBe(0o700);
    expect(await isInMemory(join(root, 'node'))).toBe(true);
    expect(await readdir(join(root, 'node', 't1'))).toEqual(['0', '1']);
  });

  test('are written anew when they are provided again, and when the memory was lost', async () => {
    await files.provide('t1', [file('0', 'one')]);
    await files.provide('t1', [file('0', 'two')]);
    expect(await readFile(files.path('t1', '0'), 'utf8')).toBe('two');
    await rm(join(root, 'node'), { recursive: true });
    await files.provide('t1', [file('0', 'three')]);
    expect(await readFile(files.path('t1', '0'), 'utf8')).toBe('three');
  });

  test('go with their task, and those that an earlier process left go when no container has them', async () => {
    await files.provide('gone', [file('0', 'x')]);
    await files.withdraw('gone');
    await files.withdraw('never there');
    await files.provide('left', [file('0', 'x')]);
    await files.provide('kept', [file('0', 'x')]);
    const next = new TaskFiles(join(root, 'node'));
    await next.provide('new', [file('0', 'x')]);
    await next.sweep(new Set(['kept']));
    expect((await readdir(join(root, 'node'))).sort()).toEqual(['kept', 'new']);
    await new TaskFiles(join(root, 'no such')).sweep(new Set());
  });
});

describe('the data of a file', () => {
  const reference = (name: string) => ({
    SecretID: `id-${name}`,
    SecretName: name,
    File: { Name: `${name}.txt`, UID: '33', GID: '', Mode: 0o400 },
  });
  const payload = (name: string, text: string, templated = false): Payload => ({
    kind: 'secret',
    id: `id-${name}`,
    name,
    data: Buffer.from(text),
    templated,
  });
  const node = { ID: 'n1', Hostname: 'h1', Platform: { Architecture: 'x86_64', OS: 'linux' } };
  const made = (payloads: readonly Payload[], Env: string[] = []) =>
    taskFiles(
      assignment('t1', { container: { Env, Secrets: [reference('a'), reference('b')] } }),
      ({ id }) => payloads.find((one) => one.id === id),
      node,
    );

  test('is the payload, or what its template says of this task', () => {
    const template = '{{.Node.Hostname}} {{.Task.Slot}} {{env "A"}} {{secret "b.txt"}}';
    const [a, b] = made([payload('a', template, true), payload('b', '{{raw}}')], ['A=x=y']);
    expect(Buffer.from(a?.data ?? []).toString()).toBe('h1 1 x=y {{raw}}');
    expect(b).toMatchObject({ name: '1', target: '/run/secrets/b.txt', uid: 33, gid: 0, mode: 0o400 });
    expect(Buffer.from(b?.data ?? []).toString()).toBe('{{raw}}');
  });

  test('that is missing, or a template that names what is missing, is an error by name', () => {
    expect(() => made([payload('a', 'x')])).toThrow('secret b (id-b) is not known to the manager');
    expect(() => made([payload('a', '{{secret "c"}}', true), payload('b', 'hidden')])).toThrow(
      'the template of secret a cannot be expanded: secret target c not found',
    );
  });
});
