import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDockerExecutor } from '../../agent/executor/docker-executor.js';
import type { Executor } from '../../agent/executor/executor.js';
import { systemClock } from '../../core/clock.js';
import { newId } from '../../core/id.js';
import { createLogger } from '../../core/logger.js';
import { assignment, type AssignmentParts } from '../support/assignments.js';
import { startDockerEngine, type DockerEngine } from '../support/docker-engine.js';
import { eventually } from '../support/eventually.js';

const signal = new AbortController().signal;
/** In memory, where the Engine's own mounts show it too. */
const FILES = `/dev/shm/bale-fields-${process.pid}`;
const SLEEP = ['sleep', '1000'];

/** That the fields of a task take effect in a real container, as seen from inside it. */
describe('a task in a real Engine', () => {
  let engine: DockerEngine;
  let executor: Executor;
  beforeAll(async () => {
    engine = await startDockerEngine({
      bridge: `balef${process.pid}`,
      subnet: `10.216.${process.pid % 250}.1/24`,
    });
    executor = createDockerExecutor({
      socketPath: engine.socketPath,
      nodeId: 'n1',
      hostname: 'n1',
      filesDirectory: FILES,
      logger: createLogger('silent'),
      clock: systemClock,
    });
  });
  afterAll(async () => {
    await rm(FILES, { recursive: true, force: true });
    await engine[Symbol.asyncDispose]();
  });

  const run = async (parts: AssignmentParts): Promise<{ inside: (line: string) => Promise<string>; id: string }> => {
    const task = assignment(newId(), { ...parts, container: { Command: SLEEP, ...parts.container } });
    await executor.create(task, signal);
    const { containerId: id } = await executor.start(task.taskId, signal);
    return { id, inside: async (line) => (await engine.docker('exec', id, 'sh', '-c', line)).trim() };
  };
  const format = async (id: string, template: string): Promise<string> =>
    (await engine.docker('inspect', '-f', template, id)).trim();

  test('has its name, labels, environment, directory, user, groups, host name and hosts', async () => {
    const { id, inside } = await run({
      serviceName: 'shop',
      slot: 3,
      container: {
        Env: ['COLOUR=teal and white'],
        Dir: '/tmp',
        User: 'app',
        Groups: ['2000'],
        Hostname: 'box',
        Hosts: ['10.9.8.7 db'],
        Labels: { tier: 'front', 'com.docker.swarm.service.name': 'forged' },
      },
    });
    expect(await inside('echo "$COLOUR|$(pwd)|$(id -u)|$(hostname)"')).toBe('teal and white|/tmp|1000|box');
    expect(await inside('id')).toContain('2000');
    expect(await inside('cat /etc/hosts')).toMatch(/10\.9\.8\.7\s+db/);
    expect(await format(id, '{{.Name}}')).toMatch(/^\/shop\.3\.[a-z0-9]{25}$/);
    expect(await format(id, '{{index .Config.Labels "com.docker.swarm.service.name"}}')).toBe('shop');
    expect(await format(id, '{{index .Config.Labels "tier"}}')).toBe('front');
    expect(await format(id, '{{.HostConfig.RestartPolicy.Name}}')).toBe('no');
  });

  test('is held to its limits', async () => {
    const { id, inside } = await run({
      spec: {
        Resources: {
          Limits: { NanoCPUs: 5e8, MemoryBytes: 64 * 2 ** 20, Pids: 200 },
          Reservations: { MemoryBytes: 32 * 2 ** 20 },
        },
      },
      container: { Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }] },
    });
    const limits =
      '{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.MemoryReservation}} {{.HostConfig.PidsLimit}}';
    expect(await format(id, limits)).toBe('500000000 67108864 33554432 200');
    // The hard limit: the runtime, a Go program, may raise the soft one of what it executes.
    expect(await inside('ulimit -Hn')).toBe('200');
    expect(await format(id, '{{range .HostConfig.Ulimits}}{{.Name}} {{.Soft}} {{.Hard}}{{end}}')).toBe(
      'nofile 100 200',
    );
  });

  test('that uses more memory than it may says so when it ends', async () => {
    const task = assignment(newId(), {
      // What grows is not the container's own process: of that the Engine may learn the end before it learns why.
      container: { Command: ['sh', '-c', '(x=$(cat /dev/zero | tr "\\0" a); echo "$x"); exec sleep 1000'] },
      spec: { Resources: { Limits: { MemoryBytes: 8 * 2 ** 20 } } },
    });
    const ended = nextEnd(executor, task.taskId);
    await executor.create(task, signal);
    const { containerId } = await executor.start(task.taskId, signal);
    await eventually('the Engine to see it', async () => {
      const filters = ['--filter', 'event=oom', '--filter', `container=${containerId}`];
      return (await engine.docker('events', '--since', '1h', '--until', '0s', ...filters)) !== '';
    });
    await engine.docker('kill', containerId);
    await ended;
    const state = await executor.inspect(task.taskId, signal);
    expect(state).toMatchObject({ phase: 'exited', error: 'out of memory (limit 8 MiB)' });
  });

  test('has its mounts: bind, volume with a driver, tmpfs; a read-only root', async () => {
    const { id, inside } = await run({
      container: {
        ReadOnly: true,
        Mounts: [
          { Type: 'bind', Source: '/usr/share', Target: '/share', ReadOnly: true },
          {
            Type: 'volume',
            Source: 'data',
            Target: '/data',
            VolumeOptions: { Labels: { kept: 'yes' }, DriverConfig: { Name: 'local' } },
          },
          { Type: 'tmpfs', Target: '/scratch', TmpfsOptions: { SizeBytes: 1048576, Mode: 0o700 } },
        ],
      },
    });
    expect(await inside('ls /share | wc -l')).not.toBe('0');
    expect(await inside('touch /share/x 2>&1 || true')).toContain('Read-only');
    expect(await inside('touch /x 2>&1 || true')).toContain('Read-only');
    expect(await inside('touch /data/x && ls /data')).toBe('x');
    expect(await inside('mount')).toMatch(
      /on \/scratch type tmpfs .*size=1024k.*mode=700|on \/scratch type tmpfs .*mode=700.*size=1024k/,
    );
    expect(await engine.docker('volume', 'inspect', '-f', '{{.Labels.kept}}', 'data')).toBe('yes\n');
    expect(await format(id, '{{.HostConfig.ReadonlyRootfs}}')).toBe('true');
  });

  test("is refused with Swarm's words when a bind source is not there", async () => {
    const task = assignment(newId(), {
      container: { Mounts: [{ Type: 'bind', Source: '/nowhere/at/all', Target: '/x' }] },
    });
    await expect(executor.create(task, signal)).rejects.toMatchObject({
      code: 'BALE_CONTAINER_REFUSED',
      message: 'invalid mount config for type "bind": bind source path does not exist: /nowhere/at/all',
    });
  });

  test("fails with the Engine's words when its program is not there", async () => {
    const task = assignment(newId(), { container: { Command: ['/no/such/program'] } });
    await executor.create(task, signal);
    await expect(executor.start(task.taskId, signal)).rejects.toThrow(/no such file or directory/);
    expect(await executor.inspect(task.taskId, signal)).toMatchObject({ phase: 'created' });
  });

  test('is stopped by its own signal, and killed when its grace is over', async () => {
    const polite = assignment(newId(), {
      container: {
        Command: ['sh', '-c', 'trap "exit 7" INT; touch /tmp/ready; while true; do sleep 0.05; done'],
        StopSignal: 'SIGINT',
      },
    });
    const deaf = assignment(newId(), {
      container: { Command: ['sh', '-c', 'trap "" TERM; while true; do sleep 0.05; done'] },
    });
    for (const task of [deaf, polite]) await executor.create(task, signal);
    await executor.start(deaf.taskId, signal);
    const { containerId } = await executor.start(polite.taskId, signal);
    await engine.docker('exec', containerId, 'sh', '-c', 'while [ ! -f /tmp/ready ]; do sleep 0.05; done');
    await Promise.all([executor.stop(polite.taskId, 9e9, signal), executor.stop(deaf.taskId, 1e9, signal)]);
    expect(await executor.inspect(polite.taskId, signal)).toMatchObject({ exitCode: 7 });
    expect(await executor.inspect(deaf.taskId, signal)).toMatchObject({ exitCode: 137 });
  });

  test('has an init process when it wants one, a terminal and an open standard input', async () => {
    const { id, inside } = await run({ container: { Init: true, TTY: true, OpenStdin: true } });
    expect(await inside('cat /proc/1/cmdline')).toContain('init');
    expect(await format(id, '{{.Config.Tty}} {{.Config.OpenStdin}}')).toBe('true true');
  });

  test('has its host-mode ports bound by the Engine, and no other', async () => {
    const task = assignment(newId(), {
      container: { Command: SLEEP },
      hostPorts: [{ Protocol: 'tcp', TargetPort: 80, PublishMode: 'host' }],
    });
    await executor.create(task, signal);
    const { hostPorts } = await executor.start(task.taskId, signal);
    expect(hostPorts).toHaveLength(1);
    expect(hostPorts[0]).toMatchObject({ Protocol: 'tcp', TargetPort: 80, PublishMode: 'host' });
    expect(hostPorts[0]?.PublishedPort).toBeGreaterThan(1024);
  });

  test('has bounded logs unless it names a driver', async () => {
    const { id } = await run({});
    expect(await format(id, '{{json .HostConfig.LogConfig}}')).toBe(
      '{"Type":"json-file","Config":{"max-file":"5","max-size":"20m"}}',
    );
    const own = await run({ spec: { LogDriver: { Name: 'local', Options: { 'max-size': '1m' } } } });
    expect(await format(own.id, '{{json .HostConfig.LogConfig}}')).toBe('{"Type":"local","Config":{"max-size":"1m"}}');
  });
});

/** Resolves when the task's container has ended. */
function nextEnd(executor: Executor, taskId: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      executor.inspect(taskId, signal).then((state) => {
        if (state?.phase !== 'exited') return;
        end();
        resolve();
      }, reject);
    };
    // At the opening too: it may have ended before.
    const end = executor.watch(look, look);
  });
}
