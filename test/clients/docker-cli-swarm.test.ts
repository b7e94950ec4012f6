import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Docker, dockerClients } from '../support/docker-client.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import type { Output } from '../support/run.js';
import { makeSwarm, runningTasks } from '../support/swarm-session.js';
import { TEST_IMAGE } from '../support/test-image.js';

type Node = 'manager' | 'worker';
type Row = readonly [node: Node, ...command: string[]];

/** `{address}`: the manager's cluster port; `{token}`: the worker's join token of the moment. */
const SAME_AS_SWARM: readonly Row[] = [
  ['worker', 'swarm', 'leave'],
  ['manager', 'node', 'ls'],
  ['manager', 'service', 'ls'],
  ['manager', 'swarm', 'join-token', 'worker'],
  ['manager', 'swarm', 'init', '--advertise-addr', '{address}'],
  ['manager', 'swarm', 'init', '--advertise-addr', '{address}'],
  ['manager', 'swarm', 'join-token', 'worker'],
  ['manager', 'swarm', 'join-token', 'manager'],
  ['manager', 'swarm', 'join-token', '-q', 'worker'],
  ['manager', 'swarm', 'join-token', 'visitor'],
  ['manager', 'swarm', 'join-token', '--rotate', 'worker'],
  ['manager', 'swarm', 'unlock-key'],
  ['worker', 'swarm', 'join', '--token', '{token}', '{address}'],
  ['worker', 'swarm', 'join', '--token', '{token}', '{address}'],
  ['worker', 'node', 'ls'],
  ['worker', 'service', 'create', TEST_IMAGE],
  ['manager', 'node', 'ls'],
  ['manager', 'node', 'ls', '-q'],
  ['manager', 'node', 'ls', '-f', 'role=worker'],
  ['manager', 'node', 'ls', '-f', 'name=h1', '--format', '{{.Hostname}} {{.Self}} {{.ManagerStatus}} {{.TLSStatus}}'],
  ['manager', 'node', 'ls', '-f', 'shoe=size'],
  ['manager', 'node', 'inspect', '--pretty', 'h2'],
  ['manager', 'node', 'inspect', '-f', '{{.Status.State}} {{.Spec.Role}} {{.ManagerStatus}}', 'self', 'h2', 'h9'],
  ['manager', 'node', 'rm', 'h2'],
  ['manager', 'node', 'rm', 'h9'],
  [
    ...(['manager', 'service', 'create', '--name', 'web', '--replicas', '2', '-p', '8080:80'] as const),
    ...['--label', 'x=y', '-e', 'A=b', '--limit-memory', '64m', TEST_IMAGE],
  ],
  ['manager', 'service', 'ls'],
  ['manager', 'service', 'ls', '-f', 'name=nowhere'],
  ['manager', 'service', 'ls', '-f', 'mode=replicated', '-f', 'label=x=y', '--format', 'json'],
  ['manager', 'service', 'ps', 'web', '--format', '{{.Name}} {{.Image}} {{.DesiredState}} {{.CurrentState}}'],
  ['manager', 'service', 'ps', '-f', 'desired-state=running', '-f', 'node=h2', '-q', 'web'],
  ['manager', 'service', 'ps', 'nowhere'],
  ['manager', 'service', 'inspect', '--pretty', 'web'],
  ['manager', 'service', 'inspect', '-f', '{{json .Spec}} {{json .Endpoint.Spec}} {{json .Endpoint.Ports}}', 'web'],
  ['manager', 'service', 'inspect', 'nowhere'],
  ['manager', 'service', 'create', '--name', 'web', TEST_IMAGE],
  ['manager', 'service', 'create', '--name', 'b ad', TEST_IMAGE],
  ['manager', 'service', 'create', '-p', '8080:80', TEST_IMAGE],
  ['manager', 'service', 'create', '-p', '81:80', '-p', '81:81', TEST_IMAGE],
  ['manager', 'service', 'create', '--limit-memory', '1m', TEST_IMAGE],
  ['manager', 'service', 'create', '--no-resolve-image', 'UPPER:x:y'],
  ['manager', 'service', 'scale', 'web=3'],
  ['manager', 'service', 'scale', '-d', 'nowhere=1', 'web=2'],
  ['manager', 'service', 'update', '-d', '--replicas', '3', 'web'],
  ['manager', 'service', 'update', '-d', '--label-add', 'z=1', 'web'],
  ['manager', 'inspect', '-f', '{{.Spec.Name}} {{.Spec.Labels}} {{.Spec.Mode.Replicated.Replicas}}', 'web'],
  ['manager', 'info', '-f', '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{.Swarm.Nodes}}'],
  ['worker', 'info', '-f', '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{.Swarm.Error}}'],
  ['manager', 'stack', 'ls'],
  ['manager', 'stack', 'ps', 'nothing'],
  ['manager', 'service', 'create', '--name', 'agent', '--mode', 'global', TEST_IMAGE],
  [
    'manager',
    'service',
    'ps',
    '-f',
    'node=h2',
    'agent',
    '--format',
    '{{.Image}} {{.Node}} {{.DesiredState}} {{.CurrentState}}',
  ],
  ['manager', 'service', 'inspect', '--pretty', 'agent'],
  ['manager', 'service', 'create', '-d', '--mode', 'global', '--replicas', '2', TEST_IMAGE],
  ['manager', 'service', 'scale', 'agent=2'],
  [
    ...(['manager', 'service', 'create', '--name', 'job', '--mode', 'replicated-job', '--replicas', '3'] as const),
    ...['--max-concurrent', '2', TEST_IMAGE, 'true'],
  ],
  ['manager', 'service', 'ps', 'job', '--format', '{{.Image}} {{.DesiredState}} {{.CurrentState}}'],
  ['manager', 'service', 'inspect', '-f', '{{json .Spec.Mode}} {{.JobStatus.JobIteration.Index}}', 'job'],
  ['manager', 'service', 'create', '--name', 'once', '--mode', 'global-job', TEST_IMAGE, 'true'],
  ['manager', 'service', 'update', '--force', 'once'],
  ['manager', 'service', 'inspect', '-f', '{{json .Spec.Mode}} {{.JobStatus.JobIteration.Index}}', 'once'],
  ['manager', 'service', 'ls'],
  ['manager', 'service', 'ls', '-f', 'mode=global', '--format', '{{.Name}} {{.Mode}}'],
  ['manager', 'service', 'rm', 'agent', 'job', 'once'],
  ['manager', 'service', 'rm', 'web', 'nowhere'],
  ['manager', 'service', 'ls', '-q'],
  ['manager', 'swarm', 'leave'],
  ['worker', 'swarm', 'leave'],
  ['worker', 'swarm', 'leave'],
  ['manager', 'swarm', 'leave', '--force'],
  ['manager', 'node', 'ls'],
  ['manager', 'info', '-f', '{{.Swarm.LocalNodeState}} {{.Swarm.NodeID}}'],
];

/** Ids, times and keys replaced; of progress only how it ended. */
const normal = (text: string): string =>
  text
    .replace(/SWMTKN-1-\w+-\w+/g, '<TOKEN>')
    .replace(/\b[a-z0-9]{25}\b/g, '<ID>')
    .replace(/^[a-z0-9]{12}\b/gm, '<ID12>')
    .replace(/"ID":"[a-z0-9]{12}"/g, '"ID":"<ID12>"')
    .replace(/(Less than a second|About a minute|\d+ seconds?) ago/gi, '<SPAN> ago')
    .replace(/Joined at:.*/, 'Joined at: <TIME>')
    // The order of an update that the user left open: bale chooses it for each service.
    .replace(/(Update|Rollback) order:.*/g, '$1 order: <CHOSEN>')
    .replace(/,"Order":"[a-z-]*"/g, '')
    .replace(/-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----/s, '<CERTIFICATE>')
    .replace(/Issuer (Subject|Public Key):.*/g, 'Issuer $1: <KEY>')
    .split('\n')
    .filter(
      (line) =>
        !/^(overall progress: (\d+) out of (?!\2 )|.* progress: waiting for|verify: (Waiting|Detected)|active tasks: |\d+\/\d+: )/.test(
          line,
        ),
    )
    .filter((line, index, all) => line !== all[index - 1])
    .join('\n');

const shown = ({ code, stdout, stderr }: Output): string => normal(`exit code ${code}\n${stdout}${stderr}`);

const REFUSED: readonly (readonly [command: readonly string[], cause: string])[] = [
  [['network', 'create', '-d', 'overlay', 'ov'], 'overlay networks are not implemented in this version'],
  [
    ['service', 'create', '--mode', 'global-job', '-p', '9000:80', TEST_IMAGE],
    'EndpointSpec.Ports is not implemented yet: jobs publish no ports',
  ],
  [['service', 'create', '--endpoint-mode', 'dnsrr', TEST_IMAGE], 'EndpointSpec.Mode "dnsrr" is not implemented yet'],
  [
    ['service', 'create', '-p', '9000:80/sctp', TEST_IMAGE],
    'EndpointSpec.Ports[0].Protocol "sctp" is not implemented yet',
  ],
  [['node', 'promote', 'h2'], 'Role is not implemented yet: a node keeps the role it joined with'],
  [['swarm', 'update', '--autolock'], 'EncryptionConfig.AutoLockManagers is not implemented yet'],
  [['swarm', 'ca', '--rotate'], 'CAConfig.ForceRotate is not implemented yet'],
];

describe('the docker CLI with the commands of Swarm', () => {
  let hosts: Hosts;
  let scratch: string;
  const clients = dockerClients();
  const newest = clients[0] ?? { name: 'docker', path: 'docker' };

  beforeAll(async () => {
    hosts = await startHosts(2);
    scratch = await mkdtemp(join(tmpdir(), 'bale-docker-cli-'));
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true, force: true });
  });

  async function session(socket: 'engineSocket' | 'baleSocket'): Promise<readonly string[]> {
    const nodes = {
      manager: new Docker(newest, hosts.host(1)[socket]),
      worker: new Docker(newest, hosts.host(2)[socket]),
    };
    const transcript: string[] = [];
    for (const [node, ...command] of SAME_AS_SWARM) {
      const token = command.includes('{token}') ? await nodes.manager.must('swarm', 'join-token', '-q', 'worker') : '';
      const args = command.map((word) =>
        word.replace('{address}', `${hosts.host(1).address}:2377`).replace('{token}', token.trim()),
      );
      transcript.push(`${node}> docker ${command.join(' ')}\n${shown(await nodes[node].run(args))}`);
    }
    return transcript;
  }

  test('prints before bale what it prints before Docker Swarm on the same Engines', async () => {
    const swarm = await session('engineSocket');
    const bale = await session('baleSocket');
    expect(bale).toEqual(swarm);
    // A session that broke in both places would compare equal.
    const text = bale.join('\n');
    expect(text).toContain('exit code 0\nThis node joined a swarm as a worker.');
    expect(text).toMatch(/overall progress: 3 out of 3 tasks\nverify: Service web converged/);
    expect(text).toMatch(/<ID12> +web +replicated +2\/2 +bale-test:1 +\*:8080->80\/tcp/);
  });

  describe('in a cluster', () => {
    let manager: Docker;

    beforeAll(async () => {
      await makeSwarm(hosts);
      manager = new Docker(newest, hosts.host(1).baleSocket);
      await manager.must('service', 'create', '-d', '--name', 'web', '--replicas', '2', '-p', '8080:80', TEST_IMAGE);
      await runningTasks(hosts.host(1), 'web', 2);
    });

    test.each(REFUSED.map(([command, cause]) => ({ command, cause, line: command.join(' ') })))(
      'refused by name: $line',
      async ({ command, cause }) => {
        const { code, stderr } = await manager.run(command);
        expect(stderr).toContain(cause);
        expect(stderr).toContain('Error response from daemon: ');
        expect(code).toBe(1);
      },
    );

    test('what was refused changed nothing', async () => {
      expect(await manager.must('service', 'ls', '--format', '{{.Name}} {{.Replicas}}')).toBe('web 2/2\n');
    });

    test('a stack is refused by the first thing in it that is not there yet', async () => {
      const file = join(scratch, 'compose.yml');
      await writeFile(file, `version: "3.8"\nservices:\n  page:\n    image: ${TEST_IMAGE}\n`);
      const { code, stderr } = await manager.run(['stack', 'deploy', '-c', file, 'site']);
      expect(stderr).toContain('overlay networks are not implemented in this version');
      expect(code).toBe(1);
      expect(await manager.must('service', 'ls', '-q', '-f', 'name=site')).toBe('');
    });

    test.each(clients)('$name creates, shows, scales and removes a service', async (client) => {
      const docker = new Docker(client, hosts.host(1).baleSocket);
      expect(await docker.must('service', 'create', '--name', 'other', TEST_IMAGE)).toMatch(/1 out of 1 tasks/);
      expect(await docker.must('service', 'ls', '-f', 'name=other')).toMatch(/other +replicated +1\/1/);
      expect(await docker.must('service', 'scale', 'other=2')).toMatch(/2 out of 2 tasks/);
      expect(await docker.must('service', 'ps', 'other')).toMatch(/other\.1 .*Running[^]*other\.2 .*Running/);
      expect(await docker.must('service', 'rm', 'other')).toBe('other\n');
    });

    test('a service that cannot be placed says why in its progress', async () => {
      const child = manager.spawn('service', 'create', '--name', 'huge', '--reserve-memory', '900g', TEST_IMAGE);
      let printed = '';
      const explained = new Promise<void>((resolve) => {
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          printed += text;
          if (printed.includes('no suitable node')) resolve();
        });
      });
      await explained;
      child.kill('SIGKILL');
      expect(printed).toMatch(/no suitable node \(insufficient resources on 2 nodes/);
      await manager.must('service', 'rm', 'huge');
    });

    test('an image that is not there is named in the list of tasks, with the cause', async () => {
      await manager.must('service', 'create', '-d', '--no-resolve-image', '--name', 'ghost', 'nowhere:1');
      const errors = async (): Promise<string> =>
        manager.must('service', 'ps', '--no-trunc', '--format', '{{.CurrentState}} {{.Error}}', 'ghost');
      await expect.poll(errors, { timeout: 20_000 }).toMatch(/Rejected .*"No such image: nowhere:1/);
      await manager.must('service', 'rm', 'ghost');
    });
  });
});
