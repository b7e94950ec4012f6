import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, type Option } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../../../cli/context.js';
import { runCli } from '../../../cli/main.js';
import { registerServiceCreate } from '../../../cli/service-create.js';
import { registerServiceUpdate } from '../../../cli/service-update.js';
import type { ServiceSpec } from '../../../proto/engine/service-spec.js';
import { serviceDocument } from '../../support/documents.js';
import { scriptedDaemon } from '../../support/scripted-daemon.js';

const NOT_RUN: Context = {
  connect: () => Promise.reject(new Error('no command is run')),
  print: () => undefined,
  warn: () => undefined,
  copy: () => undefined,
  streams: () => ({ input: process.stdin, output: process.stdout, error: process.stderr }),
  env: {},
  terminal: undefined,
  signal: new AbortController().signal,
};

/** A command as it is registered, with its flags by their long names. */
function registered(register: (parent: Command, context: Context) => void): {
  readonly help: string;
  readonly flags: ReadonlyMap<string, Option>;
} {
  const parent = new Command('service').enablePositionalOptions();
  register(parent, NOT_RUN);
  const [command] = parent.commands;
  if (command === undefined) throw new Error('nothing was registered');
  const flags = new Map(command.options.map((option) => [(option.long ?? '').replace(/^--/, ''), option]));
  return { help: command.helpInformation(), flags };
}

const CREATE = registered(registerServiceCreate);
const UPDATE = registered(registerServiceUpdate);

/** They say how the command itself behaves, and are the same for both. */
const OF_THE_COMMAND = ['detach', 'quiet', 'with-registry-auth', 'no-resolve-image'];
/** Only a service that is there has something to forget. */
const OF_UPDATE = ['no-registry-auth'];
/** For scripts that write `--init=false`, and what is known and refused by name. */
const HIDDEN = [
  'no-init',
  'no-tty',
  'no-read-only',
  'network',
  'network-add',
  'network-rm',
  'credential-spec',
  'endpoint-mode',
];
const specFlags = ({ flags }: typeof CREATE): readonly string[] =>
  [...flags].flatMap(([name, { hidden }]) =>
    hidden || [...OF_THE_COMMAND, ...OF_UPDATE].includes(name) ? [] : [name],
  );

/** Where docker's update has other names than the rule gives. */
const OTHER_FORMS: Readonly<Record<string, readonly string[]>> = {
  // A service keeps both for its life.
  name: [],
  mode: [],
  // docker reads files of variables at creation only.
  'env-file': ['env-add', 'env-rm'],
  'cap-add': ['cap-add', 'cap-drop'],
  'cap-drop': ['cap-add', 'cap-drop'],
  // The options belong to their driver and are replaced with it.
  'log-opt': ['log-opt'],
};

/** docker's rule: a flag that may be given several times has an add and a rm form, any other has its own name. */
const formsOf = (name: string): readonly string[] =>
  OTHER_FORMS[name] ?? (CREATE.flags.get(name)?.parseArg === undefined ? [name] : [`${name}-add`, `${name}-rm`]);

/** What only an update can ask for, and what creation takes as operands. */
const OF_UPDATE_ALONE = ['image', 'args', 'force', 'rollback'];

/** A value for each flag of creation, and how an update names it to remove it. */
const SAMPLES: Readonly<Record<string, string | readonly [value: string, removed: string] | undefined>> = {
  name: 'other',
  mode: 'global',
  replicas: '3',
  'max-concurrent': '2',
  publish: ['8080:80', '80'],
  env: ['LOG=info', 'LOG'],
  label: ['team=a', 'team'],
  'container-label': ['build=1', 'build'],
  mount: ['type=volume,source=a,target=/one', '/one'],
  secret: ['key', 'key'],
  config: ['cfg', 'cfg'],
  workdir: '/srv',
  user: 'www',
  entrypoint: '/bin/web',
  hostname: 'h',
  'limit-cpu': '0.5',
  'limit-memory': '64m',
  'limit-pids': '9',
  'reserve-cpu': '0.5',
  'reserve-memory': '64m',
  'memory-swap': '16m',
  'memory-swappiness': '7',
  'oom-score-adj': '-50',
  'generic-resource': ['gpu=2', 'gpu'],
  constraint: ['node.role==worker', 'node.role==worker'],
  'placement-pref': ['spread=node.labels.zone', 'spread=node.labels.zone'],
  'replicas-max-per-node': '2',
  'restart-condition': 'on-failure',
  'restart-delay': '7s',
  'restart-max-attempts': '4',
  'restart-window': '8s',
  'stop-signal': 'SIGINT',
  'stop-grace-period': '9s',
  'health-cmd': 'true',
  'health-interval': '6s',
  'health-timeout': '2s',
  'health-retries': '5',
  'health-start-period': '4s',
  'health-start-interval': '1s',
  group: ['adm', 'adm'],
  isolation: 'default',
  host: ['db:10.0.0.1', 'db'],
  dns: ['10.0.0.9', '10.0.0.9'],
  'dns-option': ['ndots:2', 'ndots:2'],
  'dns-search': ['a.test', 'a.test'],
  'cap-add': 'CAP_NET_ADMIN',
  'cap-drop': 'CAP_CHOWN',
  sysctl: ['net.core.somaxconn=100', 'net.core.somaxconn'],
  ulimit: ['nofile=10:20', 'nofile'],
  'log-driver': 'json-file',
  'log-opt': 'max-size=1m',
  'update-parallelism': '2',
  'update-delay': '3s',
  'update-monitor': '7s',
  'update-failure-action': 'rollback',
  'update-max-failure-ratio': '0.25',
  'update-order': 'stop-first',
  'rollback-parallelism': '2',
  'rollback-delay': '3s',
  'rollback-monitor': '7s',
  'rollback-failure-action': 'continue',
  'rollback-max-failure-ratio': '0.25',
  'rollback-order': 'stop-first',
  image: 'web:2',
  args: '-v two',
};

/** Flags that go only together with others. */
const COMPANIONS: Readonly<Record<string, readonly string[]>> = {
  'log-opt': ['--log-driver', 'syslog'],
  'max-concurrent': ['--mode', 'replicated-job'],
};

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flag-forms-'));
  await writeFile(join(directory, 'variables'), 'LOG=debug\n');
});
afterAll(() => rm(directory, { recursive: true }));

/** `--label team=a`, or of a switch the name alone. */
function words(name: string, { flags }: typeof CREATE): readonly string[] {
  if (flags.get(name)?.required !== true) return [`--${name}`];
  if (name === 'env-file') return ['--env-file', join(directory, 'variables')];
  const given = SAMPLES[name] ?? SAMPLES[name.replace(/-(add|rm)$/, '')];
  const value = typeof given === 'string' ? given : given?.[name.endsWith('-rm') ? 1 : 0];
  if (value === undefined) throw new Error(`--${name} has no sample`);
  return [`--${name}`, value];
}

/** What creation sends without any flag. */
let plain: Promise<ServiceSpec> | undefined;

/** What the command sends. */
async function sent(present: ServiceSpec, ...argv: readonly string[]): Promise<ServiceSpec> {
  const payload = (Name: string) => ({
    body: [{ ID: `id-${Name}`, CreatedAt: '', Version: { Index: 1 }, Spec: { Name } }],
  });
  await using daemon = await scriptedDaemon((request) => {
    if (request === 'GET /services/web') return { body: serviceDocument('web', 1, { Spec: present }) };
    if (request === 'GET /secrets') return payload('key');
    if (request === 'GET /configs') return payload('cfg');
    return request === 'POST /services/create' ? { status: 201, body: { ID: 'web' } } : { body: {} };
  });
  const errors: string[] = [];
  const [verb = '', ...rest] = argv;
  const code = await runCli(['-H', daemon.host, 'service', verb, '--no-resolve-image', ...rest], {
    print: () => undefined,
    warn: (text) => void errors.push(text),
    terminal: undefined,
  });
  expect({ code, errors: errors.join('') }).toEqual({ code: 0, errors: '' });
  const [change] = daemon.changes;
  return change?.body as ServiceSpec; // what the CLI makes of its flags is this document
}

const BARE: ServiceSpec = {
  Name: 'web',
  Labels: {},
  TaskTemplate: { ContainerSpec: { Image: 'web:1' }, ForceUpdate: 0 },
  Mode: { Replicated: { Replicas: 1 } },
};
const created = (...flags: readonly string[]): Promise<ServiceSpec> => sent(BARE, 'create', '-d', ...flags, 'web:1');

describe('each flag of service create', () => {
  test.each(specFlags(CREATE))('--%s changes what is sent', async (name) => {
    const others = COMPANIONS[name];
    const without = await (others === undefined ? (plain ??= created()) : created(...others));
    expect(await created(...(others ?? []), ...words(name, CREATE))).not.toEqual(without);
  });

  test.each(specFlags(CREATE))('--%s has its forms in service update, under the names of docker', (name) => {
    for (const form of formsOf(name)) expect([...UPDATE.flags.keys()]).toContain(form);
  });

  test.each(OF_THE_COMMAND)('--%s is a flag of both', (name) => {
    expect([CREATE.flags.has(name), UPDATE.flags.has(name)]).toEqual([true, true]);
  });

  test('and nothing else is a flag of service update', () => {
    const known = new Set([...specFlags(CREATE).flatMap(formsOf), ...OF_UPDATE_ALONE]);
    expect(specFlags(UPDATE).filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('each flag of service update', () => {
  const changing = specFlags(UPDATE).filter((name) => name !== 'rollback');

  test.each(changing.filter((name) => !name.endsWith('-rm')))('--%s changes what is sent', async (name) => {
    const isOfJobs = name === 'max-concurrent';
    const present = isOfJobs ? { ...BARE, Mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 4 } } } : BARE;
    const others = isOfJobs ? [] : (COMPANIONS[name] ?? []);
    const without = await sent(present, 'update', '-d', ...others, 'web');
    expect(await sent(present, 'update', '-d', ...others, ...words(name, UPDATE), 'web')).not.toEqual(without);
  });

  test.each(changing.filter((name) => name.endsWith('-rm')))('--%s takes away what creation gave', async (name) => {
    const full = await created(...words(name.replace(/-rm$/, ''), CREATE));
    const spec = await sent(full, 'update', '-d', ...words(name, UPDATE), 'web');
    expect(spec).not.toEqual(full);
    expect(JSON.stringify(spec).length).toBeLessThan(JSON.stringify(full).length);
  });

  test('none of them changes nothing', async () => {
    expect(await sent(BARE, 'update', '-d', 'web')).toEqual(BARE);
  });
});

test.each([
  ['create', CREATE],
  ['update', UPDATE],
])('the help of service %s names and explains each flag', (_verb, { help, flags }) => {
  for (const [name, { description, hidden }] of flags) {
    expect([name, hidden]).toEqual([name, HIDDEN.includes(name)]);
    if (hidden) continue;
    expect(help).toMatch(new RegExp(`^ +(-\\w, )?--${name}\\b.* {2}\\S`, 'm'));
    expect(description).not.toBe('');
  }
});
