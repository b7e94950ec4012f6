import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Docker, type DockerClient, dockerClients, sees } from '../support/docker-client.js';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { run, type Output } from '../support/run.js';
import { socketRequest } from '../support/socket-request.js';
import type { TestHost } from '../support/test-host.js';
import { TEST_IMAGE } from '../support/test-image.js';

/** What differs from run to run: ids, times, sizes of the moment. */
const normal = (text: string): string =>
  text
    .replace(/\b[0-9a-f]{64}\b/g, '<ID64>')
    .replace(/\b[0-9a-f]{12}\b/g, '<ID12>')
    .replace(/\b\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-][\d:]+)/g, '<TIME>')
    .replace(/\b(Less than a second|About a minute|\d+ seconds?)( ago)?\s*/g, '<SPAN> ');

const shown = ({ code, stdout, stderr }: Output): string => normal(`exit code ${code}\n${stdout}${stderr}`);

/**
 * One command line a row, for a shell in which `docker` is the client under test. What each prints
 * before bale must be what it prints before the Engine. `$CTX` is a build context with a big file.
 */
const SESSION: readonly (readonly [what: string, script: string])[] = [
  ['output, error output and exit code', `docker run --rm ${TEST_IMAGE} sh -c 'echo out; echo err >&2; exit 7'`],
  ['standard input', `echo hi | docker run --rm -i ${TEST_IMAGE} cat`],
  ['input of megabytes', `head -c 20000000 /dev/zero | docker run --rm -i ${TEST_IMAGE} wc -c`],
  [
    'a terminal',
    `script -qec "$CLIENT run --rm -t ${TEST_IMAGE} sh -c 'test -t 1 && echo a terminal; exit 3'" /dev/null </dev/null`,
  ],
  ['run detached', `docker run -d --name box --label a=b ${TEST_IMAGE}`],
  ['ps', `docker ps --filter name=box --format '{{.Names}} {{.Image}} {{.Command}} {{.Labels}}'`],
  ['a name that is taken', `docker run --name box ${TEST_IMAGE}`],
  ['exec with input', `echo piped | docker exec -i box cat`],
  ['exec and its exit code', `docker exec -e A=b -w /tmp -u app box sh -c 'id -u; pwd; echo $A; exit 9'`],
  ['exec in a container that is not there', `docker exec nowhere true`],
  ['inspect', `docker inspect -f '{{.Name}} {{.Config.Cmd}} {{.State.Running}}' box`],
  [
    'logs to their end',
    `docker run --name talk -d ${TEST_IMAGE} sh -c 'echo 1; echo 2 >&2; sleep 0.5; echo 3' && docker logs -f talk`,
  ],
  ['wait', `docker run -d --name end ${TEST_IMAGE} sh -c 'sleep 0.5; exit 4' && docker wait end`],
  ['logs afterwards', `docker logs talk; docker logs --tail 1 talk; docker logs -t talk`],
  [
    'events of a time',
    `docker events --since "$(docker inspect -f '{{.Created}}' talk)" --until 0s --filter container=talk --format '{{.Type}} {{.Action}}'`,
  ],
  ['copy in and out', `echo content > $TMP/in && docker cp $TMP/in box:/tmp/in && docker cp box:/tmp/in - | tar -xO`],
  ['copy of what is not there', `docker cp box:/nowhere -`],
  ['top', `docker top box -o comm`],
  ['stats once', `docker stats --no-stream --format '{{.Name}}' box`],
  ['diff', `docker diff box | sort`],
  [
    'attach',
    `docker run -d -i --name att ${TEST_IMAGE} sh -c 'read go; echo a word; exit 6' && (echo go; docker wait att >/dev/null) | docker attach att`,
  ],
  ['rename, pause, unpause', `docker rename att att2 && docker pause box && docker unpause box`],
  ['commit', `docker commit -m words box committed:1 && docker history --format '{{.Comment}}' committed:1 | head -1`],
  ['volumes', `docker volume create v1 && docker run --rm -v v1:/v ${TEST_IMAGE} touch /v/x && docker volume rm v1`],
  [
    'networks',
    `docker network create n1 && docker network inspect -f '{{.Driver}} {{.Scope}}' n1 && docker network rm n1`,
  ],
  ['a network that is there already', `docker network create n2 && docker network create n2; docker network rm n2`],
  ['export', `docker export box | tar -t | sort`],
  ['build', `docker build -q --build-arg X=1 -t built:1 $CTX && docker run --rm built:1`],
  ['build that fails', `printf 'FROM ${TEST_IMAGE}\\nRUN exit 5\\n' | docker build - 2>&1 | tail -1`],
  [
    'save, remove, load',
    `docker save built:1 > $TMP/s.tar && docker rmi -f built:1 >/dev/null && docker load < $TMP/s.tar`,
  ],
  ['the loaded image', `docker run --rm built:1`],
  ['import', `docker export box | docker import - imported:1 && docker run --rm imported:1 echo imported`],
  ['tag and remove', `docker tag built:1 other:1 && docker rmi other:1`],
  ['a pull without a registry', `docker pull -q localhost:1/none:1`],
  ['kill with a signal', `docker kill -s TERM box && docker wait box`],
  ['start, stop, remove', `docker start box && docker stop -t 5 box && docker rm -f box talk end att2`],
  ['a container that is not there', `docker rm nowhere`],
  ['an image that is not there', `docker run --rm --pull never nowhere:1`],
  ['prune', `docker container prune -f --filter label=none; docker rmi -f committed:1 imported:1 >/dev/null`],
];

describe('the docker CLI before bale', () => {
  let hosts: Hosts;
  let scratch: string;
  const engineTranscripts = new Map<string, Record<string, string>>();
  const clients = dockerClients();
  const newest = clients[0] ?? { name: 'docker', path: 'docker' };

  beforeAll(async () => {
    hosts = await startHosts(Math.max(1, clients.length));
    scratch = await mkdtemp(join(tmpdir(), 'bale-passthrough-'));
    await mkdir(join(scratch, 'context'));
    await writeFile(
      join(scratch, 'context', 'Dockerfile'),
      `FROM ${TEST_IMAGE}\nCOPY big /big\nARG X\nRUN echo built with $X > /built\nCMD ["sh", "-c", "cat /built; wc -c /big"]\n`,
    );
    await writeFile(join(scratch, 'context', 'big'), Buffer.alloc(30_000_000, 'some bytes that repeat'));
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true, force: true });
  });

  /** Each client has a machine to itself, the newest the first. */
  const hostOf = (client: DockerClient): TestHost => hosts.host(Math.max(0, clients.indexOf(client)) + 1);
  const beforeBale = (client = newest): Docker => new Docker(client, hostOf(client).baleSocket);
  const beforeEngine = (client = newest): Docker => new Docker(client, hostOf(client).engineSocket);

  async function session(docker: Docker): Promise<Record<string, string>> {
    const directory = await mkdtemp(join(scratch, 'session-'));
    const prefix = `CTX=${join(scratch, 'context')} TMP=${directory} CLIENT='${docker.client.path} -H unix://${docker.socketPath}'`;
    const transcript: Record<string, string> = {};
    for (const [what, script] of SESSION) transcript[what] = shown(await docker.shell(`${prefix}\n${script}`));
    await rm(directory, { recursive: true, force: true });
    return transcript;
  }

  async function sameAsEngine(client: DockerClient): Promise<void> {
    const engine = engineTranscripts.get(client.path) ?? (await session(beforeEngine(client)));
    engineTranscripts.set(client.path, engine);
    const bale = await session(beforeBale(client));
    expect(bale).toEqual(engine);
    // A session that broke in both places would compare equal.
    expect(bale['output, error output and exit code']).toBe('exit code 7\nout\nerr\n');
    expect(bale['input of megabytes']).toBe('exit code 0\n20000000\n');
    expect(bale['a terminal']).toMatch(/exit code 3\n.*a terminal/s);
    expect(bale['exec and its exit code']).toBe('exit code 9\n1000\n/tmp\nb\n');
    expect(bale['logs to their end']).toMatch(/1\n3\n2\n/);
    expect(bale.wait).toMatch(/\n4\n$/);
    expect(bale['copy in and out']).toContain('content');
    expect(bale.attach).toMatch(/^exit code 6\n.*a word/s);
    expect(bale['the loaded image']).toBe('exit code 0\nbuilt with 1\n30000000 /big\n');
  }

  /** How many connections clients have with bale, and bale with the Engine: each kind is of its clients' namespace. */
  async function openConnections(): Promise<{ readonly clients: number; readonly engine: number }> {
    const host = hosts.host(1);
    const [ofClients, ofHost] = await Promise.all([run('ss', ['-Hxp']), host.run('ss', ['-Hxp'])]);
    const count = ({ stdout }: Output, text: string): number =>
      stdout.split('\n').filter((line) => line.includes(' ESTAB ') && line.includes(text)).length;
    return { clients: count(ofClients, host.baleSocket), engine: count(ofHost, `pid=${host.daemonPid},`) };
  }

  test.concurrent.each(clients)(
    'before a swarm every command of $name prints what it prints before the Engine',
    (client) => sameAsEngine(client),
  );

  test('an image leaves byte for byte as the Engine sends it, and comes back', async () => {
    await beforeEngine().must('build', '-q', '-t', 'bytes:1', join(scratch, 'context'));
    const digest = async (docker: Docker): Promise<string> =>
      (await docker.shell('docker save bytes:1 | sha256sum')).stdout;
    expect(await digest(beforeBale())).toBe(await digest(beforeEngine()));
    expect((await beforeBale().shell('docker save bytes:1 | docker load')).stdout).toContain('Loaded image: bytes:1');
    await beforeEngine().must('rmi', 'bytes:1');
  });

  test('a signal to the client reaches the container, and the exit code comes back', async () => {
    const child = beforeBale().spawn(
      'run',
      '--rm',
      TEST_IMAGE,
      'sh',
      '-c',
      'trap "exit 5" TERM; echo up; sleep 60 & wait',
    );
    const exit = once(child, 'exit');
    await sees(child.stdout, 'up');
    child.kill('SIGTERM');
    expect(await exit).toEqual([5, null]);
  });

  test('clients that hang up in the middle leave nothing open', async () => {
    const docker = beforeBale();
    await docker.must('run', '-d', '--name', 'long', TEST_IMAGE, 'sh', '-c', 'while echo x; do sleep 0.1; done');
    const clientsAtWork = [
      docker.spawn('logs', '-f', 'long'),
      docker.spawn('attach', '--no-stdin', 'long'),
      docker.spawn('exec', '-i', 'long', 'sh', '-c', 'while echo y; do sleep 0.1; done'),
      docker.spawn('stats', 'long'),
    ];
    // These say nothing until something happens.
    const quiet = [docker.spawn('events'), docker.spawn('wait', 'long'), docker.spawn('exec', '-i', 'long', 'cat')];
    await Promise.all(clientsAtWork.map((child) => once(child.stdout, 'data')));
    await eventually('each to have its connection', async () => {
      const open = await openConnections();
      return open.clients >= 7 && open.engine >= 7;
    });
    for (const child of [...clientsAtWork, ...quiet]) child.kill('SIGKILL');
    await eventually('every connection to be closed', async () => {
      const open = await openConnections();
      return open.clients === 0 && open.engine === 0;
    });
    await docker.must('rm', '-f', 'long');
  });

  test('twenty containers at once each get their own output', async () => {
    const outputs = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        beforeBale().run(['run', '--rm', TEST_IMAGE, 'sh', '-c', `echo number ${n}; exit ${n}`]),
      ),
    );
    expect(outputs.map(({ code, stdout }) => [code, stdout])).toEqual(
      Array.from({ length: 20 }, (_, n) => [n, `number ${n}\n`]),
    );
  });

  test('a question that the Engine answers at once is answered every time', async () => {
    for (let n = 0; n < 100; n += 1) {
      const { status } = await socketRequest(hosts.host(1).baleSocket, '/v1.41/containers/nowhere/json');
      expect(status, `call ${n}`).toBe(404);
    }
  });

  test('an overlay network is refused by name', async () => {
    const { code, stderr } = await beforeBale().run(['network', 'create', '-d', 'overlay', 'ov']);
    expect([code, stderr.trim()]).toEqual([
      1,
      'Error response from daemon: overlay networks are not implemented in this version',
    ]);
  });

  test('as a member of a swarm it is the same', async () => {
    await beforeBale().must('swarm', 'init', '--advertise-addr', hosts.host(1).address);
    await sameAsEngine(newest);
  });

  test('while the Engine is down each call says so, and all is well when it is back', async () => {
    await hosts.host(1).killEngine();
    const answer = await socketRequest(hosts.host(1).baleSocket, '/containers/json');
    expect(answer.status).toBe(503);
    expect(answer.text).toMatch(/cannot reach the Docker Engine at unix:\/\/\S+docker\.sock: .*; is it running\?/);
    const { code, stderr } = await beforeBale().run(['run', '--rm', TEST_IMAGE, 'true']);
    expect(code).toBe(125);
    expect(stderr).toMatch(/cannot reach the Docker Engine/);
    await hosts.host(1).startEngine();
    expect(await beforeBale().must('run', '--rm', TEST_IMAGE, 'echo', 'back')).toBe('back\n');
  });
});
