import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Docker, dockerClients } from '../support/docker-client.js';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { must, type Output } from '../support/run.js';
import { makeSwarm, nodeNamed, nodesOf, runningTasks, tasksOf } from '../support/swarm-session.js';
import { TEST_IMAGE } from '../support/test-image.js';

/** Three lines with pauses, so that order of time is the same everywhere; then nothing more. */
const TALK = 'echo one $T; sleep 0.2; echo two $T >&2; sleep 0.2; echo three $T; exec sleep 100000';
const CREATE = ['service', 'create', '-d', '--no-resolve-image', '--name', 'talk', '--replicas', '3'];
const TALKING = [...CREATE, '-e', 'T={{.Task.Slot}}', '--log-opt', 'env=T', '--log-driver', 'json-file'];

/** Each is asked of Docker Swarm, of bale by docker's CLI, and of bale by its own. */
const FLAGS: readonly (readonly string[])[] = [
  ['talk'],
  ['--raw', 'talk'],
  ['--details', 'talk'],
  ['--details', '--raw', 'talk'],
  ['-t', 'talk'],
  ['-t', '--raw', 'talk'],
  ['--tail', '1', 'talk'],
  ['-n', '0', 'talk'],
  ['--no-trunc', 'talk'],
  ['--no-task-ids', 'talk'],
  ['--no-resolve', 'talk'],
  ['--since', '1h', 'talk'],
  ['--since', '2099-01-01', 'talk'],
  ['{task}'],
  ['nowhere'],
  ['--tail', 'x', 'talk'],
];

const normal = (text: string): string =>
  text
    .replace(/\b[a-z0-9]{25}\b/g, '<ID>')
    .replace(/(talk|<ID>)\.(\d)\.[a-z0-9]{12}@/g, '$1.$2.<ID12>@')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z/g, '<TIME>')
    // Which node a task is on is the scheduler's choice.
    .replace(/@h\d/g, '@<NODE>')
    .split('\n')
    .sort()
    .join('\n');

const shown = ({ code, stdout, stderr }: Output): object => ({ code, stdout: normal(stdout), stderr: normal(stderr) });

describe('logs of services on three machines', () => {
  let hosts: Hosts;
  const cli = dockerClients()[0] ?? { name: 'docker', path: 'docker' };
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    hosts = await startHosts(3);
  });

  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await hosts[Symbol.asyncDispose]();
  });

  const manager = () => hosts.host(1);
  const docker = (socket: 'engineSocket' | 'baleSocket'): Docker => new Docker(cli, manager()[socket]);

  /** Every container has said all it will say. */
  const hasTalked = async (client: Docker): Promise<void> => {
    await eventually('nine lines', async () => {
      const { stdout, stderr } = await client.run(['service', 'logs', '--raw', 'talk']);
      return `${stdout}${stderr}`.split('\n').length === 10;
    });
  };

  async function answers(client: Docker, logs: (args: readonly string[]) => Promise<Output>): Promise<object[]> {
    const task = (await client.must('service', 'ps', '-q', '--no-trunc', 'talk')).split('\n')[0] ?? '';
    const outputs: object[] = [];
    for (const flags of FLAGS) {
      outputs.push({ flags, ...shown(await logs(flags.map((word) => word.replace('{task}', task)))) });
    }
    return outputs;
  }

  test('are printed as Docker Swarm prints them on the same Engines, by both CLIs', async () => {
    const swarm = docker('engineSocket');
    await swarm.must('swarm', 'init', '--advertise-addr', manager().address);
    const token = (await swarm.must('swarm', 'join-token', '-q', 'worker')).trim();
    for (const worker of hosts.all.slice(1)) {
      await worker.docker('swarm', 'join', '--token', token, `${manager().address}:2377`);
    }
    await swarm.must(...TALKING, TEST_IMAGE, 'sh', '-c', TALK);
    await hasTalked(swarm);
    const expected = await answers(swarm, (args) => swarm.run(['service', 'logs', ...args]));
    await swarm.must('service', 'rm', 'talk');
    for (const host of hosts.all) await host.docker('swarm', 'leave', '--force');

    await makeSwarm(hosts);
    const bale = docker('baleSocket');
    await bale.must(...TALKING, TEST_IMAGE, 'sh', '-c', TALK);
    await runningTasks(manager(), 'talk', 3);
    await hasTalked(bale);
    expect(await answers(bale, (args) => bale.run(['service', 'logs', ...args]))).toEqual(expected);
    const own = await answers(bale, (args) => manager().tryBale('service', 'logs', ...args));
    expect(own.filter((_, index) => FLAGS[index]?.[1] !== 'x')).toEqual(
      expected.filter((_, index) => FLAGS[index]?.[1] !== 'x'),
    );
    // A comparison of nothing would hold as well.
    expect(JSON.stringify(expected[0])).toContain('talk.2.<ID12>@<NODE>    | one 2');
  });

  test('come in order of time', async () => {
    const { stdout } = await manager().tryBale('service', 'logs', '-t', 'talk');
    const times = stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.slice(0, 30)]));
    expect(times).toHaveLength(6);
    expect([...times].sort()).toEqual(times);
  });

  test('can be asked of one task', async () => {
    const [task] = await runningTasks(manager(), 'talk', 3);
    const output = await manager().bale('task', 'logs', '--raw', task?.ID ?? '');
    expect(output).toBe(`one ${task?.Slot ?? 0}\nthree ${task?.Slot ?? 0}\n`);
  });

  test('of a log driver that keeps none: the words of the Engine', async () => {
    const create = ['service', 'create', '-d', '--no-resolve-image', '--name', 'mute', '--log-driver', 'none'];
    await docker('baleSocket').must(...create, TEST_IMAGE);
    await runningTasks(manager(), 'mute', 1);
    const { code, stderr } = await docker('baleSocket').run(['service', 'logs', 'mute']);
    expect(stderr).toContain('configured logging driver does not support reading');
    expect(code).toBe(1);
    await manager().bale('service', 'rm', 'mute');
  });

  test('of a service with a terminal are raw', async () => {
    const create = ['service', 'create', '-d', '--no-resolve-image', '--name', 'tty', '-t', TEST_IMAGE];
    await docker('baleSocket').must(...create, 'sh', '-c', 'echo hello; exec sleep 100000');
    await runningTasks(manager(), 'tty', 1);
    const read = async (): Promise<boolean> =>
      (await docker('baleSocket').must('service', 'logs', '--raw', 'tty')) === 'hello\r\n';
    await eventually('its line', read);
    const { code, stderr } = await manager().tryBale('service', 'logs', 'tty');
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'tty service logs only supported with --raw\n' });
    expect(await manager().bale('service', 'logs', '--raw', 'tty')).toBe('hello\r\n');
    await manager().bale('service', 'rm', 'tty');
  });

  /** A command that follows, and what it has printed. */
  function follow(command: string, args: readonly string[]): { readonly printed: () => string } {
    const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    }
    return { printed: () => text };
  }

  const prints = (follower: { readonly printed: () => string }, text: string): Promise<boolean> =>
    eventually(`"${text}" to be printed`, () => Promise.resolve(follower.printed().includes(text)));

  test('are followed, with tasks that start meanwhile', async () => {
    const socket = `unix://${manager().baleSocket}`;
    const followers = [
      follow(cli.path, ['-H', socket, 'service', 'logs', '-f', '--tail', '1', 'talk']),
      follow('dist/bin/bale.js', ['-H', socket, 'service', 'logs', '-f', '--tail', '1', 'talk']),
    ];
    for (const follower of followers) {
      for (const slot of [1, 2, 3]) await prints(follower, `| three ${slot}`);
      expect(follower.printed()).not.toMatch(/\| one/);
    }
    await manager().bale('service', 'scale', '-d', 'talk=4');
    for (const follower of followers) {
      for (const word of ['one', 'two', 'three']) await prints(follower, `| ${word} 4`);
    }
  });

  test('come without those of a machine that is down, and say so; whoever follows goes on', async () => {
    const follower = follow('dist/bin/bale.js', [
      '-H',
      `unix://${manager().baleSocket}`,
      'service',
      'logs',
      '-f',
      'talk',
    ]);
    for (const slot of [1, 2, 3, 4]) await prints(follower, `| three ${slot}\n`);
    const lost = await nodeNamed(manager(), 'h3');
    await hosts.host(3).powerOff();
    await prints(follower, '| bale: the log of this task cannot be read: the connection to node h3 is lost');
    // The slots of the lost machine speak again elsewhere.
    await runningTasks(manager(), 'talk', 4);
    const moved = (await tasksOf(manager(), 'talk')).filter(({ NodeID }) => NodeID === lost.ID);
    expect(moved.length).toBeGreaterThan(0);
    await eventually('the moved tasks to be heard', () =>
      Promise.resolve(moved.every(({ Slot = 0 }) => follower.printed().split(`| three ${Slot}\n`).length === 3)),
    );
    const reason = `node ${lost.ID} is not available`;
    for (const output of [
      await docker('baleSocket').run(['service', 'logs', 'talk']),
      await manager().tryBale('service', 'logs', 'talk'),
    ]) {
      expect(output.code).toBe(1);
      expect(output.stderr).toContain(
        `error from daemon in stream: Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream. some logs could not be retrieved for the following reasons: ${reason}`,
      );
      for (const slot of [1, 2, 3, 4]) expect(output.stdout).toContain(`| three ${slot}\n`);
    }
  });

  test('of 60 replicas that write at full speed cost the manager little, and a slow reader holds up nobody', async () => {
    await manager().bale('service', 'rm', 'talk');
    // They begin together, once the pipe has a writer: those that are loud already would starve the start of the rest.
    const pipe = join(hosts.host(1).directory, 'begin');
    await must('mkfifo', [pipe]);
    const loud =
      ': < /begin; while :; do echo 0123456789012345678901234567890123456789012345678901234567890123456789; done';
    const create = ['service', 'create', '-d', '--no-resolve-image', '--name', 'loud', '--replicas', '60'];
    const flags = ['--limit-cpu', '0.05', '--mount', `type=bind,source=${pipe},target=/begin,readonly`];
    await docker('baleSocket').must(...create, ...flags, TEST_IMAGE, 'sh', '-c', loud);
    await runningTasks(manager(), 'loud', 60, 300);
    const before = await residentMemory(manager().daemonPid);
    const slow = await openLogs(manager().baleSocket, 'loud');
    const quick = await openLogs(manager().baleSocket, 'loud');
    let bytes = 0;
    quick.on('data', (chunk: Buffer) => (bytes += chunk.length));
    const writer = await open(pipe, 'r+');
    let most = 0;
    for (let sample = 0; sample < 20; sample += 1) {
      most = Math.max(most, await residentMemory(manager().daemonPid));
      await new Promise((resolve) => setTimeout(resolve, 500)); // a figure over time
    }
    slow.destroy();
    quick.destroy();
    await writer.close();
    console.log(
      `60 writers: ${(bytes / 1e6).toFixed(0)} MB read in 10 s; daemon ${before} MB before, ${most} MB at most`,
    );
    expect(bytes).toBeGreaterThan(1e5);
    expect(most - before).toBeLessThan(150);
    const states = (await nodesOf(manager())).map(({ Description, Status }) => [Description.Hostname, Status.State]);
    expect(states.sort()).toEqual([
      ['h1', 'ready'],
      ['h2', 'ready'],
      ['h3', 'down'],
    ]);
    await manager().bale('service', 'rm', 'loud');
  });
});

/** MB. */
async function residentMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? '0') / 1024);
}

const openLogs = (socketPath: string, service: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const path = `/services/${service}/logs?follow=1&stdout=1&stderr=1`;
    const call = request({ socketPath, path, agent: false }, (answer) => {
      answer.on('error', () => undefined);
      resolve(answer);
    });
    call.on('error', reject);
    call.end();
  });
