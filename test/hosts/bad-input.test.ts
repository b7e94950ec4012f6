import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { expectRefusal } from '../support/refusal.js';
import { run, type Output } from '../support/run.js';
import { socketDocument, socketRequest } from '../support/socket-request.js';
import { ask, nodesOf, runningTasks } from '../support/swarm-session.js';
import type { TestHost } from '../support/test-host.js';
import { TEST_IMAGE } from '../support/test-image.js';

const PORT = 8090;
const PROGRAM = 'dist/bin/bale.js';

describe('bad input and hostile peers', () => {
  let hosts: Hosts;
  let manager: TestHost;
  let worker: TestHost;
  /** In no cluster, then in one of its own. */
  let outsider: TestHost;
  let scratch: string;

  beforeAll(async () => {
    hosts = await startHosts(3);
    [manager, worker, outsider] = [hosts.host(1), hosts.host(2), hosts.host(3)];
    scratch = await mkdtemp(join(tmpdir(), 'bale-bad-input-'));
    await manager.bale('swarm', 'init');
    await worker.bale('swarm', 'join', '--token', await token('worker'), manager.address);
    await manager.bale('service', 'create', '-d', '--name', 'web', '--replicas', '2', '-p', `${PORT}:80`, TEST_IMAGE);
    await runningTasks(manager, 'web', 2);
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true, force: true });
  });

  const token = async (role: 'worker' | 'manager'): Promise<string> =>
    (await manager.bale('swarm', 'join-token', '-q', role)).trim();

  /** What the cluster is made of, without what beats. */
  async function cluster(): Promise<unknown> {
    const services = await socketDocument<readonly ServiceDocument[]>(manager.baleSocket, '/services');
    return {
      services: services.map(({ ID, Version, Spec }) => ({ ID, Version, Spec })),
      nodes: (await nodesOf(manager)).map(({ ID, Version, Spec }) => ({ ID, Version, Spec })),
      tasks: (await runningTasks(manager, 'web', 2)).map(({ ID }) => ID).sort(),
    };
  }

  /** One failed command: exit code 1, nothing on standard output, one line of error, and all as before. */
  async function refused(host: TestHost, args: readonly string[], cause: RegExp): Promise<void> {
    const before = await cluster();
    const output = await host.tryBale(...args);
    expectRefusal(output, cause);
    expect(await cluster()).toEqual(before);
  }

  describe('a join', () => {
    const join = (joinToken: string, address = manager.address): readonly string[] => [
      ...['swarm', 'join', '--token', joinToken, address],
    ];
    const secretOf = (text: string): string => text.split('-')[3] ?? '';
    const digestOf = (text: string): string => text.split('-')[2] ?? '';

    test('with a text that is no token', () =>
      refused(outsider, join('garbage'), /not valid: it does not begin with SWMTKN-/));

    test('with half a token', async () =>
      refused(outsider, join((await token('worker')).slice(0, 40)), /join token is not valid: .*four parts/));

    test('with a wrong secret', async () => {
      const wrong = `SWMTKN-1-${digestOf(await token('worker'))}-${'a'.repeat(25)}`;
      await refused(outsider, join(wrong), /valid join token is necessary .*bale swarm join-token worker/);
    });

    test('with a token of another cluster does not show its secret', async () => {
      const text = await token('worker');
      const other = `SWMTKN-1-${digestOf(text).replaceAll(/\d/g, 'x')}-${secretOf(text)}`;
      await refused(
        outsider,
        join(other),
        /root certificate that does not match the join token.* The token was not sent/,
      );
    });

    test('with a token that was rotated away', async () => {
      const old = await token('worker');
      await manager.bale('swarm', 'join-token', '--rotate', '-q', 'worker');
      await refused(outsider, join(old), /no longer, a token of it/);
    });

    test('with the manager token says that there is one manager', async () =>
      refused(outsider, join(await token('manager')), /joining as a manager is not available yet/));

    test('where nobody listens', async () =>
      refused(
        outsider,
        join(await token('worker'), outsider.address),
        /cannot reach the manager at .*connection refused/,
      ));

    test('at the port of the mesh', async () =>
      refused(
        outsider,
        join(await token('worker'), `${manager.address}:2378`),
        /is not a bale manager.*2377 by default/,
      ));

    test('without a token', () => refused(outsider, ['swarm', 'join', manager.address, '--token', ''], /join token/));

    test('leaves nothing behind on the node', async () => {
      expect(await outsider.bale('info')).toContain('Swarm: inactive');
      expect((await readdir(inside(outsider, 'bale'))).sort()).toEqual(['daemon.lock', 'version']);
    });
  });

  describe('a service', () => {
    const create = (...args: string[]): readonly string[] => ['service', 'create', '-d', ...args];
    const cases: readonly (readonly [what: string, args: readonly string[], cause: RegExp])[] = [
      ['of an unknown mode', create('--mode', 'sideways', TEST_IMAGE), /"sideways" for "--mode".*replicated/],
      [
        'of a mode that has no number of replicas',
        create('--mode', 'global', '--replicas', '2', TEST_IMAGE),
        /replicas can only be used with replicated or replicated-job mode/,
      ],
      ['without an image', create(''), /image reference must be provided/],
      ['of an image whose name breaks the rules', create('Not:An:Image'), /"Not:An:Image" is not a valid/],
      ['with a name that breaks the rules', create('--name', 'a b', TEST_IMAGE), /name must be valid as a DNS name/],
      ['with a name too long', create('--name', 'a'.repeat(64), TEST_IMAGE), /name must be 63 characters or fewer/],
      ['with a name that is taken', create('--name', 'web', TEST_IMAGE), /service web already exists/],
      ['with fewer than no replicas', create('--replicas', '-1', TEST_IMAGE), /"-1" for "--replicas".*at least 0/],
      [
        'with more replicas than can be',
        create('--replicas', '999999999', TEST_IMAGE),
        /replicas must be at most 100000/,
      ],
      [
        'with too little memory',
        create('--limit-memory', '1m', TEST_IMAGE),
        /invalid memory value 1048576: Must be at least 4MiB/,
      ],
      ['with a memory that is no size', create('--limit-memory', 'lots', TEST_IMAGE), /"lots" for "--limit-memory"/],
      ['with a port twice', create('-p', '81:80', '-p', '81:81', TEST_IMAGE), /duplicate published ports/],
      [
        'with a port in use',
        create('-p', `${PORT}:80`, TEST_IMAGE),
        new RegExp(`port '${PORT}' is already in use by service 'web'`),
      ],
      ['with a port that is none', create('-p', '70000:80', TEST_IMAGE), /"70000" is not a port from 1 to 65535/],
      ['with a mount that is none', create('--mount', 'type=bind', TEST_IMAGE), /"--mount": target is required/],
      [
        'with an environment file that is not there',
        create('--env-file', '/nowhere', TEST_IMAGE),
        /--env-file.*no such file/,
      ],
      ['with an unknown field of a flag', create('-p', 'published=1,aim=2', TEST_IMAGE), /unknown field "aim"/],
    ];

    test.each(cases)('%s', (_what, args, cause) => refused(manager, args, cause));

    test('that is not there cannot be scaled, shown or removed', async () => {
      await refused(manager, ['service', 'scale', 'nowhere=2'], /service nowhere not found/);
      await refused(manager, ['service', 'ps', 'nowhere'], /no such service: nowhere/);
      await refused(manager, ['service', 'rm', 'nowhere'], /service nowhere not found/);
    });

    test('is refused on a worker, with the place to go', () =>
      refused(worker, create(TEST_IMAGE), /This node is not a swarm manager.*run this command on a manager/));
  });

  describe('a body of the API', () => {
    const spec = (more: object): object => ({
      Name: 'bad',
      TaskTemplate: { ContainerSpec: { Image: TEST_IMAGE } },
      ...more,
    });
    const bodies: readonly (readonly [what: string, body: unknown, cause: RegExp])[] = [
      ['that is no JSON', 'nonsense', /^invalid JSON/],
      ['that is empty', '', /^invalid JSON: got EOF/],
      ['that is a list', [], /expected an object, got a list/],
      ['with an unknown mode', spec({ Mode: { Sideways: {} } }), /Mode: unknown mode "Sideways"/],
      [
        'with negative replicas',
        spec({ Mode: { Replicated: { Replicas: -1 } } }),
        /Mode\.Replicated\.Replicas: must be at least 0/,
      ],
      [
        'with half a replica',
        spec({ Mode: { Replicated: { Replicas: 1.5 } } }),
        /Mode\.Replicated\.Replicas: expected a whole number/,
      ],
      [
        'with a text for a list',
        spec({ TaskTemplate: { ContainerSpec: { Image: 'x', Env: 'A=b' } } }),
        /ContainerSpec\.Env: expected a list/,
      ],
      [
        'with port 0',
        spec({ EndpointSpec: { Ports: [{ TargetPort: 0 }] } }),
        /Ports\[0\]\.TargetPort must be between 1 and 65535/,
      ],
      ['of nine megabytes', spec({ Labels: { long: 'x'.repeat(9_000_000) } }), /larger than 4 MiB/],
    ];

    test.each(bodies)('%s', async (_what, body, cause) => {
      const before = await cluster();
      const { status, text } = await socketRequest(manager.baleSocket, '/services/create', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      expect(status).toBe(text.includes('larger') ? 413 : 400);
      expect((JSON.parse(text) as { message: string }).message).toMatch(cause);
      expect(await cluster()).toEqual(before);
    });
  });

  describe('the bale command', () => {
    const bale = (...args: string[]): Promise<Output> => run(PROGRAM, args);

    test('without a daemon says where it looked', async () => {
      const output = await bale('-H', `unix://${scratch}/none.sock`, 'node', 'ls');
      expectRefusal(output, /Cannot connect to the bale daemon at unix:.*none\.sock. Is the bale daemon running\?/);
    });

    test('without permission says what to do', async () => {
      const { code, stderr } = await run('setpriv', [
        ...['--reuid=65534', '--clear-groups', PROGRAM],
        ...['-H', `unix://${manager.baleSocket}`, 'info'],
      ]);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/permission denied.*run as root/)]);
    });

    test('mistyped suggests what was meant, and points to the help', async () => {
      const verb = await bale('service', 'crate');
      expect([verb.code, verb.stderr]).toEqual([1, expect.stringMatching(/unknown command 'crate'.*create/s)]);
      const flag = await bale('service', 'create', '--replica', '2', TEST_IMAGE);
      expect([flag.code, flag.stderr]).toEqual([125, expect.stringMatching(/unknown option '--replica'.*--replicas/s)]);
    });
  });

  test('after all of it the cluster is as it was', async () => {
    expect(
      (await nodesOf(manager)).map(({ Description, Status }) => [Description.Hostname, Status.State]).sort(),
    ).toEqual([
      ['h1', 'ready'],
      ['h2', 'ready'],
    ]);
    expect((await ask(worker.address, PORT)).status).toBe(200);
    expect(await readFile(inside(manager, 'bale.log'), 'utf8')).not.toMatch(/"level":60/);
  });
});

const inside = (host: TestHost, path: string): string => join(host.directory, path);
