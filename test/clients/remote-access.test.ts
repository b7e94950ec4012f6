import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerClients } from '../support/docker-client.js';
import { hasDockerPy, VIEWER_OUTPUT, VIEWER_SCRIPT } from '../support/docker-py.js';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { must, run, type Output } from '../support/run.js';
import { makeSwarm, runningTasks } from '../support/swarm-session.js';
import { TEST_IMAGE } from '../support/test-image.js';

let hosts: Hosts;
let directory = '';
const files = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'remote-access-'));
  hosts = await startHosts(1, { daemons: false });
  const manager = hosts.host(1);
  await manager.startDaemon(['--host', `tcp://${manager.address}`]);
  await makeSwarm(hosts);
  for (const role of ['viewer', 'operator', 'admin']) {
    await manager.bale('client-cert', 'create', role, '--role', role, '--out', files(role));
  }
  await manager.bale('service', 'create', '--detach', '--name', 'web', TEST_IMAGE, 'sleep', '1000');
  await runningTasks(manager, 'web', 1);
});
afterAll(async () => {
  await hosts[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const variables = (name: string): Record<string, string> => ({
  DOCKER_HOST: `tcp://${hosts.host(1).address}:2376`,
  DOCKER_TLS_VERIFY: '1',
  DOCKER_CERT_PATH: files(name),
  // Where they are set, docker-py's HTTP library believes them alone.
  REQUESTS_CA_BUNDLE: '',
  CURL_CA_BUNDLE: '',
});

test('the files of a client are those of docker, and the key is for its owner alone', async () => {
  expect((await stat(files('viewer'))).mode & 0o777).toBe(0o700);
  expect((await stat(join(files('viewer'), 'key.pem'))).mode & 0o777).toBe(0o600);
  await must('openssl', ['verify', '-CAfile', join(files('viewer'), 'ca.pem'), join(files('viewer'), 'cert.pem')]);
});

describe.each(dockerClients())('$name by docker context', ({ path }) => {
  const config = (): string => join(directory, 'config');
  const docker = (name: string, ...args: readonly string[]): Promise<Output> =>
    run(path, ['--context', name, ...args], {
      env: { DOCKER_CONFIG: config(), DOCKER_HOST: '', DOCKER_CLI_HINTS: 'false' },
    });

  beforeAll(async () => {
    for (const role of ['viewer', 'operator', 'admin']) {
      const at = files(role);
      const endpoint = `host=tcp://${hosts.host(1).address}:2376,ca=${at}/ca.pem,cert=${at}/cert.pem,key=${at}/key.pem`;
      await must(path, ['context', 'create', role, '--docker', endpoint], { env: { DOCKER_CONFIG: config() } });
    }
  });
  afterAll(() => rm(config(), { recursive: true, force: true }));

  test('a viewer looks and changes nothing', async () => {
    expect((await docker('viewer', 'node', 'ls', '--format', '{{.Hostname}}')).stdout.trim()).toBe('h1');
    expect((await docker('viewer', 'service', 'ps', 'web', '--format', '{{.CurrentState}}')).stdout).toMatch(
      /^Running/,
    );
    for (const command of [
      ['service', 'rm', 'web'],
      ['run', '--rm', TEST_IMAGE, 'true'],
      ['swarm', 'leave', '--force'],
    ]) {
      const { code, stderr } = await docker('viewer', ...command);
      expect(code).not.toBe(0);
      expect(stderr).toContain('role viewer may not do this');
    }
  });

  test('an operator scales a service and runs no container of their own', async () => {
    const { code, stderr } = await docker('operator', 'service', 'update', '--detach', '--label-add', 'a=b', 'web');
    expect([code, stderr]).toEqual([0, '']);
    expect((await docker('operator', 'run', '--rm', TEST_IMAGE, 'true')).stderr).toContain(
      'role operator may not do this',
    );
  });

  test.each(['operator', 'admin'])('an exec of role %s: output, input to its end, exit code', async (role) => {
    const { stdout } = await docker('admin', 'ps', '-q', '--filter', 'name=web.1');
    const container = stdout.trim();
    const script = `${path} --context ${role} exec -i ${container} sh -c 'cat; echo done; exit 7'`;
    const { code, stdout: output } = await run('sh', ['-c', `printf input | ${script}`], {
      env: { DOCKER_CONFIG: config(), DOCKER_HOST: '', DOCKER_CLI_HINTS: 'false' },
    });
    expect([code, output]).toEqual([7, 'inputdone\n']);
  });

  test('an admin runs a container whose input and output go through TLS', async () => {
    const script = `printf hello | ${path} --context admin run --rm -i ${TEST_IMAGE} cat`;
    const { stdout } = await run('sh', ['-c', script], {
      env: { DOCKER_CONFIG: config(), DOCKER_HOST: '', DOCKER_CLI_HINTS: 'false' },
    });
    expect(stdout).toBe('hello');
  });

  test('an operator has no way into a container that is of no task', async () => {
    await must(path, ['--context', 'admin', 'run', '-d', '--name', 'private', TEST_IMAGE, 'sleep', '1000'], {
      env: { DOCKER_CONFIG: config(), DOCKER_HOST: '' },
    });
    for (const command of [
      ['exec', 'private', 'true'],
      ['exec', '--privileged', 'private', 'true'],
      ['logs', 'private'],
    ]) {
      expect((await docker('operator', ...command)).stderr).toMatch(/role operator may not do this: .*private/s);
    }
    await docker('admin', 'rm', '-f', 'private');
  });
});

test.skipIf(!hasDockerPy())('docker-py by its variables', async () => {
  expect(await must('python3', ['-c', VIEWER_SCRIPT], { env: variables('viewer') })).toBe(VIEWER_OUTPUT);
});

describe('bale by the variables of docker', () => {
  const bale = (name: string, ...args: readonly string[]): Promise<Output> =>
    run(join(process.cwd(), 'dist', 'bin', 'bale.js'), args, { env: variables(name) });

  test('looks as a viewer, and is told who may do more', async () => {
    expect((await bale('viewer', 'node', 'ls', '--format', '{{.Hostname}}')).stdout).toBe('h1\n');
    const { code, stderr } = await bale('viewer', 'service', 'rm', 'web');
    expect(code).toBe(1);
    expect(stderr).toContain('role viewer may not do this: DELETE /services/web');
  });

  test('a certificate that was revoked, and files that are not there, are named', async () => {
    const manager = hosts.host(1);
    await manager.bale('client-cert', 'create', 'gone', '--role', 'viewer', '--out', files('gone'));
    expect((await bale('gone', 'node', 'ls')).code).toBe(0);
    await manager.bale('client-cert', 'revoke', 'gone');
    expect((await bale('gone', 'node', 'ls')).stderr).toContain('the client certificate gone was revoked');
    expect((await bale('nowhere', 'node', 'ls')).stderr).toMatch(
      /nowhere\/ca\.pem cannot be read: there is no such file/,
    );
    expect((await bale('admin', 'client-cert', 'ls')).stdout).toMatch(/gone +viewer +revoked/);
  });

  test('a stream that is open when its certificate is revoked ends', async () => {
    const manager = hosts.host(1);
    await manager.bale('client-cert', 'create', 'watcher', '--role', 'viewer', '--out', files('watcher'));
    const [client] = dockerClients();
    const watching = run(client?.path ?? 'docker', ['events'], { env: variables('watcher') });
    const listed = async (): Promise<true | undefined> =>
      (await manager.run('ss', ['-Htn', 'state', 'established', 'sport', '=', ':2376'])).stdout.trim() === ''
        ? undefined
        : true;
    await eventually('the connection', listed);
    await manager.bale('client-cert', 'revoke', 'watcher');
    // It would be killed, and this fail, if it went on.
    expect((await watching).stdout).toBe('');
  });
});
