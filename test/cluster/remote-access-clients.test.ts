import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../../cli/main.js';
import { DaemonApi } from '../support/daemon-api.js';
import { freePort } from '../support/free-port.js';
import { dockerClients } from '../support/docker-client.js';
import { hasDockerPy, VIEWER_OUTPUT, VIEWER_SCRIPT } from '../support/docker-py.js';
import { must, type Output, run } from '../support/run.js';
import { serviceBody } from '../support/service-body.js';

let api: DaemonApi;
let port = 0;
const files = (name: string): string => join(api.cluster.root, 'clients', name);
const bale = async (...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> => {
  const written = { stdout: '', stderr: '' };
  const code = await runCli(['-H', `unix://${api.manager.options.socket}`, ...args], {
    print: (text) => (written.stdout += text),
    warn: (text) => (written.stderr += text),
    terminal: undefined,
  });
  return { code, ...written };
};
beforeAll(async () => {
  port = await freePort();
  api = await DaemonApi.start(['--host', `tcp://127.0.0.1:${port}`]);
  const { status, text } = await api.ask('POST', '/services/create', { body: serviceBody({ Name: 'web' }) });
  if (status !== 201) throw new Error(text);
  for (const role of ['viewer', 'operator']) {
    const made = await bale('client-cert', 'create', role, '--role', role, '--out', files(role));
    if (made.code !== 0) throw new Error(made.stderr);
  }
});
afterAll(() => api.end());

const variables = (name: string): Record<string, string> => ({
  DOCKER_HOST: `tcp://127.0.0.1:${port}`,
  DOCKER_TLS_VERIFY: '1',
  DOCKER_CERT_PATH: files(name),
  // Where they are set, docker-py's HTTP library believes them alone.
  REQUESTS_CA_BUNDLE: '',
  CURL_CA_BUNDLE: '',
  DOCKER_CLI_HINTS: 'false',
});

test('client-cert create writes the files of docker, the key for its owner alone, and replaces none', async () => {
  expect((await stat(join(files('viewer'), 'key.pem'))).mode & 0o777).toBe(0o600);
  expect((await stat(files('viewer'))).mode & 0o777).toBe(0o700);
  const again = await bale('client-cert', 'create', 'other', '--role', 'viewer', '--out', files('viewer'));
  expect(again.code).toBe(1);
  expect(again.stderr).toContain('holds ca.pem, cert.pem, key.pem already');
  expect((await bale('client-cert', 'ls', '--format', '{{.Name}} {{.Role}} {{.State}}')).stdout).toBe(
    'operator operator valid\nviewer viewer valid\n',
  );
});

test.each(['a/b', '../b', '', '.', '-x', 'a b', 'x'.repeat(65)])(
  'client-cert create refuses the name %j before it makes anything',
  async (name) => {
    const before = await readdir(api.cluster.root);
    const words = ['--role', 'viewer', '--out', join(api.cluster.root, 'never'), '--', name];
    const { code, stderr } = await bale('client-cert', 'create', ...words);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^NAME: ".*" is no name of a client: 1 to 64 letters, digits/) as string,
    });
    expect(await readdir(api.cluster.root)).toEqual(before);
  },
);

test.each(dockerClients())(
  '$name by docker context looks as a viewer, and is told who may do more',
  async ({ path }) => {
    const config = join(api.cluster.root, `config-${path.replaceAll('/', '-')}`);
    const docker = (...args: readonly string[]): Promise<Output> =>
      run(path, args, {
        env: { DOCKER_CONFIG: config, DOCKER_HOST: '', DOCKER_CONTEXT: '', DOCKER_CLI_HINTS: 'false' },
      });
    const at = files('viewer');
    const endpoint = `host=tcp://127.0.0.1:${port},ca=${at}/ca.pem,cert=${at}/cert.pem,key=${at}/key.pem`;
    expect((await docker('context', 'create', 'bale', '--docker', endpoint)).code).toBe(0);
    expect((await docker('--context', 'bale', 'service', 'ls', '--format', '{{.Name}}')).stdout).toBe('web\n');
    const { code, stderr } = await docker('--context', 'bale', 'service', 'rm', 'web');
    expect(code).toBe(1);
    expect(stderr).toContain('a client certificate of role viewer may not do this: DELETE');
  },
);

test.skipIf(!hasDockerPy())('docker-py by its variables', async () => {
  expect(await must('python3', ['-c', VIEWER_SCRIPT], { env: variables('viewer') })).toBe(VIEWER_OUTPUT);
});

test('bale speaks to a daemon on another machine, and names what is missing', async () => {
  const remote = async (name: string, ...args: readonly string[]) => {
    const at = (file: string): string => join(files(name), file);
    const tls = ['--tlscacert', at('ca.pem'), '--tlscert', at('cert.pem'), '--tlskey', at('key.pem')];
    return bale('-H', `tcp://127.0.0.1:${port}`, ...tls, ...args);
  };
  expect(await remote('viewer', 'service', 'ls', '--format', '{{.Name}}')).toEqual({
    code: 0,
    stdout: 'web\n',
    stderr: '',
  });
  expect((await remote('operator', 'service', 'update', '-d', '--label-add', 'a=b', 'web')).code).toBe(0);
  const refused = await remote('viewer', 'service', 'rm', 'web');
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('role viewer may not do this')]);
  expect((await remote('viewer', 'swarm', 'join-token', 'worker')).stderr).toContain('to admins alone');
  expect((await remote('nowhere', 'node', 'ls')).stderr).toMatch(
    /nowhere\/ca\.pem cannot be read: there is no such file/,
  );
});

test('a client that was revoked is told so by docker', async () => {
  expect((await bale('client-cert', 'create', 'gone', '--role', 'viewer', '--out', files('gone'))).code).toBe(0);
  expect((await bale('client-cert', 'revoke', 'gone')).stdout).toBe('gone\n');
  const [client] = dockerClients();
  const { code, stderr } = await run(client?.path ?? 'docker', ['node', 'ls'], { env: variables('gone') });
  expect(code).toBe(1);
  expect(stderr).toContain('the client certificate gone was revoked');
});
