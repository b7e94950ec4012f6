import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Docker, dockerClients, sees } from '../support/docker-client.js';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { run, type Output } from '../support/run.js';
import { makeSwarm, nodeState, runningTasks, tasksOf } from '../support/swarm-session.js';
import { inTerminal } from '../support/terminal.js';
import { TEST_IMAGE } from '../support/test-image.js';

const baleProgram = join(process.cwd(), 'dist', 'bin', 'bale.js');

/** In a container: shows the first size of its terminal, says so by a file, and shows the second. */
const SHOW_SIZES =
  'until busybox stty size 2>&1 | busybox grep 31.91; do sleep 0.1; done; touch /tmp/sized; ' +
  'until busybox stty size 2>&1 | busybox grep 22.77; do sleep 0.1; done';

/** On the terminal's side: sets the second size once `seen` finds the file. */
const resizeOnce = (seen: string): string => `until ${seen}; do sleep 0.1; done; stty cols 77 rows 22 </dev/tty`;

/**
 * One command line a row; `$N` is a container on the third host. What docker prints of it before the
 * manager on the first host must be what it prints before the Engine of the third.
 */
const SESSION: readonly (readonly [what: string, script: string])[] = [
  ['exec: outputs and exit code', `docker exec $N sh -c 'echo out; echo err >&2; exit 7'`],
  ['exec: flags', `docker exec -e A=b -w /tmp -u app $N sh -c 'id -u; pwd; echo $A; exit 9'`],
  ['exec: standard input', `echo piped | docker exec -i $N cat`],
  ['exec: megabytes in', `head -c 20000000 /dev/zero | docker exec -i $N wc -c`],
  ['exec: megabytes out', `docker exec $N sh -c 'cat /dev/zero | busybox head -c 20000000' | sha256sum`],
  [
    'exec: both at once',
    `head -c 5000000 /dev/urandom > $TMP/r; docker exec -i $N cat < $TMP/r | cmp - $TMP/r && echo same`,
  ],
  ['exec: an unknown program', `docker exec $N no-such-program`],
  [
    'exec: detached',
    `docker exec $N busybox rm -f /tmp/detached; docker exec -d $N touch /tmp/detached; until docker exec $N test -e /tmp/detached; do sleep 0.1; done; docker exec $N ls /tmp/detached`,
  ],
  ['exec: a terminal', inTerminal(`$CLIENT exec -it $N sh -c 'test -t 0 && test -t 1 && echo a terminal; exit 3'`)],
  [
    'exec: the sizes of the terminal',
    `docker exec $N busybox rm -f /tmp/sized; ${inTerminal(`stty cols 91 rows 31; (${resizeOnce('$CLIENT exec $N test -e /tmp/sized')}) & $CLIENT exec -it $N sh -c '${SHOW_SIZES}'`)}`,
  ],
  [
    'inspect',
    `docker inspect -f '{{.Name}} {{.Id}} {{.Config.Cmd}} {{.State.Running}} {{.HostConfig.NetworkMode}}' $N`,
  ],
  ['inspect whole', `docker inspect $N | grep -v -e ExecIDs -e '^ *"[0-9a-f]\\{64\\}' -e '^ *\\]'`],
  ['logs', `docker logs $N; docker logs --tail 1 $N; docker logs -t $N 2>/dev/null | wc -l`],
  ['top', `docker top $N -o pid,comm`],
  ['stats once', `docker stats --no-stream --format '{{.Name}} {{.ID}}' $N`],
  ['copy in and out', `echo content > $TMP/in && docker cp -q $TMP/in $N:/tmp/in && docker cp $N:/tmp/in - | tar -xO`],
  [
    'copy of a big file both ways',
    `head -c 60000000 /dev/urandom > $TMP/big && docker cp -q $TMP/big $N:/tmp/big && docker exec $N busybox sha256sum /tmp/big | cut -c 1-64 > $TMP/there && sha256sum $TMP/big | cut -c 1-64 | cmp - $TMP/there && docker cp -q $N:/tmp/big $TMP/back && cmp $TMP/big $TMP/back && echo same`,
  ],
  ['copy of a directory', `docker cp -q $N:/etc $TMP/etc && cat $TMP/etc/passwd`],
  ['copy of what is not there', `docker cp $N:/nowhere -`],
  ['port', `docker port $N`],
];

describe('containers of another node before the docker CLI', () => {
  let hosts: Hosts;
  let scratch: string;
  let name: string;
  const newest = dockerClients()[0] ?? { name: 'docker', path: 'docker' };

  beforeAll(async () => {
    hosts = await startHosts(3);
    scratch = await mkdtemp(join(tmpdir(), 'bale-remote-'));
    await makeSwarm(hosts);
    await before().must(
      ...['service', 'create', '-d', '--name', 'web', '--replicas', '2', '--constraint', 'node.hostname==h3'],
      ...[TEST_IMAGE, 'sh', '-c', 'echo started; echo warned >&2; trap "exit 0" TERM; sleep 100000 & wait'],
    );
    const [first] = [...(await runningTasks(hosts.host(1), 'web', 2))].sort((a, b) => (a.Slot ?? 0) - (b.Slot ?? 0));
    name = `web.1.${first?.ID ?? ''}`;
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true, force: true });
  });

  const before = (): Docker => new Docker(newest, hosts.host(1).baleSocket);
  const beforeItsEngine = (): Docker => new Docker(newest, hosts.host(3).engineSocket);
  const bale = (command: string): string => `${baleProgram} -H unix://${hosts.host(1).baleSocket} ${command}`;
  const shell = (script: string): Promise<Output> =>
    run('sh', ['-c', `bale() { ${bale('"$@"')}; }\nTMP=${scratch}\n${script}`]);

  /** Resolves when the Engine says so of a container of the third host: from then on nothing is missed. */
  const isAttached = (container: string): Promise<unknown> =>
    eventually('the client to be attached', async () => {
      const filters = ['-f', `container=${container}`, '-f', 'event=attach'];
      const events = await beforeItsEngine().must('events', '--since', '1h', '--until', '0s', ...filters);
      return events.includes('attach');
    });

  async function session(docker: Docker): Promise<Record<string, string>> {
    const directory = await mkdtemp(join(scratch, 'session-'));
    const prefix = `N=${name} TMP=${directory} CLIENT='${docker.client.path} -H unix://${docker.socketPath}'`;
    const id = (await beforeItsEngine().must('inspect', '-f', '{{.Id}}', name)).trim();
    const transcript: Record<string, string> = {};
    for (const [what, script] of SESSION) {
      const { code, stdout, stderr } = await docker.shell(`${prefix}\n${script}`);
      transcript[what] = `exit code ${code}\n${stdout}${stderr}`
        .replaceAll(directory, '$TMP')
        // The Engine names a container as it was asked for, and on another node it is asked by the id.
        .replaceAll(id, name)
        // What script(1) shows of the end of its input, sooner or later.
        .replaceAll('^@', '');
    }
    return transcript;
  }

  test('each command prints what it prints on the node', async () => {
    const there = await session(beforeItsEngine());
    const here = await session(before());
    expect(here).toEqual(there);
    // A session that broke in both places would compare equal.
    expect(here['exec: outputs and exit code']).toBe('exit code 7\nout\nerr\n');
    expect(here['exec: megabytes in']).toBe('exit code 0\n20000000\n');
    expect(here['exec: a terminal']).toMatch(/exit code 3\na terminal/);
    expect(here['exec: the sizes of the terminal']).toMatch(/^31 91\r?\n22 77/m);
    expect(here['exec: detached']).toBe('exit code 0\n/tmp/detached\n');
    expect(here['exec: both at once']).toBe('exit code 0\nsame\n');
    expect(here['copy in and out']).toBe('exit code 0\ncontent\n');
    expect(here['copy of a big file both ways']).toBe('exit code 0\nsame\n');
    expect(here['stats once']).toMatch(/^exit code 0\nweb\.1\./);
    expect(here.logs).toMatch(/^exit code 0\nstarted\n/);
  }, 600_000);

  test('a container is found by its id, the beginning of it, its slot, and the id of its task', async () => {
    const id = (await beforeItsEngine().must('inspect', '-f', '{{.Id}}', name)).trim();
    for (const reference of [id, id.slice(0, 12), 'web.1']) {
      expect(await before().must('exec', reference, 'hostname')).toBe(`${id.slice(0, 12)}\n`);
    }
    const taskId = name.split('.')[2] ?? '';
    expect(await before().must('top', taskId, '-o', 'pid,comm')).toContain('sleep');
    // `docker inspect` of the id of a task shows the task, as before a swarm.
    expect(await before().must('inspect', '-f', '{{.ID}} {{.Status.State}}', taskId)).toBe(`${taskId} running\n`);
    expect(await before().must('inspect', '-f', '{{.Spec.Name}}', 'web')).toBe('web\n');
  });

  test('a container of this machine that has the name of a task is meant, and a worker knows only its own', async () => {
    await before().must('run', '-d', '--name', 'web.1', TEST_IMAGE, 'sh', '-c', 'echo mine; sleep 1000');
    expect(await before().must('logs', 'web.1')).toBe('mine\n');
    await before().must('rm', '-f', 'web.1');
    const { code, stderr } = await new Docker(newest, hosts.host(2).baleSocket).run(['exec', name, 'true']);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`No such container: ${name}`)]);
  });

  test('attach brings output, signals and the exit code', async () => {
    const service = async (label: string, script: string): Promise<string> => {
      await before().must(
        ...['service', 'create', '-d', '--name', label, '--restart-condition', 'none'],
        ...['--constraint', 'node.hostname==h3', TEST_IMAGE, 'sh', '-c', script],
      );
      const [task] = await runningTasks(hosts.host(1), label, 1);
      return `${label}.1.${task?.ID ?? ''}`;
    };
    const talks = await service('talk', 'while ! test -e /tmp/go; do sleep 0.1; done; echo a word; exit 6');
    const attached = before().spawn('attach', talks);
    const exit = once(attached, 'exit');
    const words = sees(attached.stdout, 'a word');
    await isAttached(talks);
    await before().must('exec', talks, 'touch', '/tmp/go');
    await words;
    expect(await exit).toEqual([6, null]);

    const waits = await service('wait', 'trap "echo told; exit 5" TERM INT; echo up; while true; do sleep 0.1; done');
    const told = before().spawn('attach', waits);
    const ended = once(told, 'exit');
    await isAttached(waits);
    // Its trap is set once it says that it is up.
    await eventually('it to be up', async () => (await before().must('logs', waits)).includes('up'));
    told.kill('SIGTERM');
    expect(await ended).toEqual([5, null]);
    await before().must('service', 'rm', 'talk', 'wait');
  });

  test('a task that waits, or has ended, says so', async () => {
    await before().must(
      ...['service', 'create', '-d', '--name', 'lost', '--constraint', 'node.hostname==nowhere', TEST_IMAGE],
    );
    await eventually('its task', async () => (await tasksOf(hosts.host(1), 'lost'))[0]?.Status.Err);
    const waiting = await before().run(['exec', 'lost.1', 'true']);
    expect([waiting.code, waiting.stderr]).toEqual([
      1,
      expect.stringMatching(/task lost\.1\.\w{25} has no container: it is pending: .*constraints/),
    ]);
    await before().must(
      ...['service', 'create', '-d', '--name', 'ended', '--restart-condition', 'none'],
      ...['--constraint', 'node.hostname==h3', TEST_IMAGE, 'sh', '-c', 'echo last words; exit 3'],
    );
    await eventually('its end', async () => (await tasksOf(hosts.host(1), 'ended'))[0]?.Status.State === 'failed');
    const ended = await before().run(['exec', 'ended.1', 'true']);
    expect([ended.code, ended.stderr]).toEqual([
      1,
      expect.stringMatching(
        /Container ended\.1\.\w{25} is not running: its task on node h3 is failed: .*non-zero exit \(3\)/,
      ),
    ]);
    expect(await before().must('logs', 'ended.1')).toBe('last words\n');
    await before().must('service', 'rm', 'lost', 'ended');
  });

  test('info, nodes and disk usage: the cluster’s parts are of bale, all else is the Engine’s', async () => {
    const engine = new Docker(newest, hosts.host(1).engineSocket);
    const same = ['info', '-f', '{{.ID}} {{.Name}} {{.ServerVersion}} {{.Driver}} {{.MemTotal}} {{json .Plugins.Log}}'];
    expect(await before().must(...same)).toBe(await engine.must(...same));
    expect(await before().must('info', '-f', '{{.Swarm.LocalNodeState}} {{.Swarm.Nodes}} {{.Swarm.Managers}}')).toBe(
      'active 3 1\n',
    );
    expect(await before().must('system', 'df')).toBe(await engine.must('system', 'df'));
    expect(await before().must('node', 'ls', '--format', '{{.Hostname}} {{.Status}} {{.Self}}')).toBe(
      'h1 Ready true\nh2 Ready false\nh3 Ready false\n',
    );
  });

  describe('the CLI of bale', () => {
    test('passes on outputs, exit codes and input to its end', async () => {
      const { code, stdout, stderr } = await shell(`bale exec web.1 sh -c 'echo out; echo err >&2; exit 7'`);
      expect([code, stdout, stderr]).toEqual([7, 'out\n', 'err\n']);
      const piped = await shell(
        'mkdir $TMP/site && head -c 30000000 /dev/urandom > $TMP/site/page && ' +
          'tar -C $TMP -c site | bale exec -i web.1 busybox tar -x -C /www && ' +
          'bale exec web.1 busybox tar -C /www -c site | tar -xO | cmp - $TMP/site/page && echo same',
      );
      expect([piped.code, piped.stdout, piped.stderr]).toEqual([0, 'same\n', '']);
    });

    test('gives a command the terminal, its size, and takes it back', async () => {
      const terminal = (command: string): Promise<Output> =>
        shell(inTerminal(`stty cols 91 rows 31; ${command}; stty -a | grep -o ' echo '`));
      await shell('bale exec web busybox rm -f /tmp/sized');
      const typed = await terminal(
        `(${resizeOnce(bale('exec web test -e /tmp/sized'))}) & ${bale('exec')} -it web sh -c '${SHOW_SIZES}'`,
      );
      expect(
        typed.stdout
          .replace(/\r|\^@/g, '')
          .trim()
          .split('\n')
          .map((line) => line.trim()),
      ).toEqual(['31 91', '22 77', 'echo']);
    });

    test('copies as docker does, both ways', async () => {
      const { code, stdout, stderr } = await shell(
        'mkdir -p $TMP/tree/sub && echo a > $TMP/tree/a && ln -s ../a $TMP/tree/sub/l && head -c 40000000 /dev/urandom > $TMP/tree/big && ' +
          'bale cp $TMP/tree web.2:/tmp/copy && bale cp web.2:/tmp/copy $TMP/back && diff -r $TMP/tree $TMP/back && ' +
          'readlink $TMP/back/sub/l && bale cp web.2:/tmp/copy/. - | tar -t | sort && ' +
          'bale cp $TMP/tree/a web.2:/tmp/copy/b && bale exec web.2 cat /tmp/copy/b && ' +
          'tar -C $TMP/tree -c a | bale cp - web.2:/tmp && bale exec web.2 cat /tmp/a',
      );
      expect([code, stdout, stderr]).toEqual([0, '../a\n./\n./a\n./big\n./sub/\n./sub/l\na\na\n', '']);
      const files = await readdir(join(scratch, 'back'));
      expect(files.sort()).toEqual(['a', 'big', 'sub']);
    }, 600_000);

    test('shows processes and figures of each task with its node', async () => {
      const top = await shell('bale top web -o pid,comm');
      expect(top.stdout.replace(/ +/g, ' ')).toMatch(
        /^TASK NODE PID COMMAND\n(web\.1 h3 \d+ \w+\n)+(web\.2 h3 \d+ \w+\n)+$/,
      );
      const stats = await shell(
        `bale stats --no-stream --format '{{.Task}} {{.Node}} {{.CPUPerc}} {{.MemUsage}} {{.PIDs}}'`,
      );
      expect(stats.stdout).toMatch(
        /^web\.1 h3 \d+\.\d\d% [\d.]+[KM]iB \/ [\d.]+GiB \d+\nweb\.2 h3 \d+\.\d\d% [\d.]+[KM]iB \/ [\d.]+GiB \d+\n$/,
      );
      const live = spawn(baleProgram, ['-H', `unix://${hosts.host(1).baleSocket}`, 'stats', 'web.2']);
      const exit = once(live, 'exit');
      let shown = '';
      live.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
      await eventually('its figures', () => Promise.resolve(/web\.2 +h3 +\d+\.\d\d% /.test(shown)));
      live.kill('SIGINT');
      await exit;
      expect(shown).not.toContain('web.1');
    });

    test('attaches, and leaves with the exit code of the task', async () => {
      await shell(
        `bale service create -d --name talk --restart-condition none --constraint node.hostname==h3 ${TEST_IMAGE} ` +
          `sh -c 'while ! test -e /tmp/go; do sleep 0.1; done; echo a word; exit 6'`,
      );
      const [task] = await runningTasks(hosts.host(1), 'talk', 1);
      const attached = shell('bale attach talk');
      await isAttached(`talk.1.${task?.ID ?? ''}`);
      await shell('bale exec talk touch /tmp/go');
      const { code, stdout } = await attached;
      expect([code, stdout]).toEqual([6, 'a word\n']);
      await shell('bale service rm talk');
    });
  });

  describe('whose node goes away', () => {
    test('a daemon that is killed ends the exec with an error, not the container; afterwards all is as before', async () => {
      const child = before().spawn('exec', name, 'sh', '-c', 'echo up; sleep 100');
      const exit = once(child, 'exit');
      await sees(child.stdout, 'up');
      await hosts.host(3).stopDaemon('SIGKILL');
      const [code] = (await exit) as [number | null];
      expect(code).not.toBe(0);
      const refused = await before().run(['exec', name, 'true']);
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/web\.1\.\w{25}.*h3/)]);
      await hosts.host(3).startDaemon();
      await eventually('the node to be back', async () => (await before().run(['exec', name, 'true'])).code === 0);
    });

    test('a machine without power is named', async () => {
      const child = before().spawn('exec', name, 'sh', '-c', 'echo up; sleep 100');
      const exit = once(child, 'exit');
      await sees(child.stdout, 'up');
      await hosts.host(3).powerOff();
      expect(((await exit) as [number | null])[0]).not.toBe(0);
      await nodeState(hosts.host(1), 'h3', 'down');
      const { code, stderr } = await before().run(['exec', name, 'true']);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/h3/)]);
    });
  });
});
