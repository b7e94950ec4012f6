import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { DAEMON_OPTIONS, daemonHelp, parseDaemonOptions } from '../../../daemon/options.js';

const parse = (argv: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const command = parseDaemonOptions(argv, env);
  if (command.kind !== 'run') throw new Error(`parsed as ${command.kind}`);
  return command.options;
};

describe('options of the daemon', () => {
  test('defaults', () => {
    expect(parse([])).toEqual({
      socket: '/run/bale/bale.sock',
      hosts: [],
      tlsNames: [],
      dataDir: '/var/lib/bale',
      runDir: '/run/bale',
      engineSocket: '/var/run/docker.sock',
      listenAddr: { host: '0.0.0.0', port: 2377 },
      meshAddr: { host: '0.0.0.0', port: 2378 },
      publishAddr: '0.0.0.0',
      meshProcesses: 'auto',
      hostname: hostname(),
      genericResources: [],
      allow: [],
      logLevel: 'info',
    });
  });

  test('every option can be given on the command line', () => {
    const argv = [
      ...['--socket', 'unix:///tmp/a/b.sock', '--data-dir', '/tmp/data', '--run-dir=/tmp/run'],
      ...['--engine', 'unix:///tmp/engine.sock', '--listen-addr', '127.0.0.2:3377', '--advertise-addr', 'eth0'],
      ...['--mesh-addr', '[::1]:3378', '--publish-addr', '127.0.0.2', '--hostname', 'n2', '--log-level', 'debug'],
      ...['--generic-resource', 'gpu=4', '--generic-resource', 'fpga=a,fpga=b'],
      '--mesh-processes=3',
      ...['--allow', 'devices,privileged', '--allow=host-pid'],
      ...['--host', 'tcp://127.0.0.2', '--host=tcp://[::1]:3376', '--tls-san', 'm.example,10.0.0.1'],
    ];
    expect(parse(argv)).toEqual({
      socket: '/tmp/a/b.sock',
      hosts: [
        { host: '127.0.0.2', port: 2376 },
        { host: '::1', port: 3376 },
      ],
      tlsNames: ['m.example', '10.0.0.1'],
      dataDir: '/tmp/data',
      runDir: '/tmp/run',
      engineSocket: '/tmp/engine.sock',
      listenAddr: { host: '127.0.0.2', port: 3377 },
      advertiseAddr: 'eth0',
      meshAddr: { host: '::1', port: 3378 },
      publishAddr: '127.0.0.2',
      meshProcesses: 3,
      hostname: 'n2',
      genericResources: [
        { DiscreteResourceSpec: { Kind: 'gpu', Value: 4 } },
        { NamedResourceSpec: { Kind: 'fpga', Value: 'a' } },
        { NamedResourceSpec: { Kind: 'fpga', Value: 'b' } },
      ],
      allow: ['privileged', 'devices', 'host-pid'],
      logLevel: 'debug',
    });
  });

  test('--host with a unix socket is the path of the socket', () => {
    const { socket, hosts } = parse(['--host', 'unix:///tmp/x.sock', '--host', 'tcp://127.0.0.1']);
    expect([socket, hosts]).toEqual(['/tmp/x.sock', [{ host: '127.0.0.1', port: 2376 }]]);
  });

  test.each([
    'tcp://0.0.0.0:2375?tlsverify=false',
    'tcp://127.0.0.1:2375#notls',
    'tcp://tlsverify=false',
    'tcp://user@127.0.0.1',
    'http://127.0.0.1:2375',
    'ssh://root@h1',
    '127.0.0.1:2375',
    'tcp://',
    'fd://',
  ])('--host %s is refused: there is no port without TLS', (host) => {
    expect(() => parse(['--host', host])).toThrow(/--host: /);
  });

  test.each(['--tlsverify=false', '--tls=false', '--no-tls', '--insecure'])('there is no option %s', (option) => {
    expect(() => parse(['--host', 'tcp://127.0.0.1', option])).toThrow(/see bale daemon --help/);
  });

  test('the environment counts, and the command line wins over it', () => {
    const env = { BALE_DATA_DIR: '/tmp/env', BALE_LISTEN_ADDR: '127.0.0.1:9', BALE_SOCKET: '' };
    const options = parse(['--listen-addr', '127.0.0.3:10'], env);
    expect(options).toMatchObject({ dataDir: '/tmp/env', listenAddr: { host: '127.0.0.3', port: 10 } });
    expect(options.socket).toBe('/run/bale/bale.sock');
  });

  test('an address without port takes the default port', () => {
    expect(parse(['--listen-addr', '10.0.0.1', '--mesh-addr', ':9999'])).toMatchObject({
      listenAddr: { host: '10.0.0.1', port: 2377 },
      meshAddr: { host: '0.0.0.0', port: 9999 },
    });
  });

  test.each([
    [['--listen-addr', 'here:2377'], /--listen-addr: "here" is not an IP address/],
    [['--listen-addr', '1.2.3.4:99999'], /--listen-addr: "1.2.3.4:99999"/],
    [['--mesh-addr', '1.2.3.4:x'], /--mesh-addr: "1.2.3.4:x"/],
    [['--publish-addr', '0.0.0'], /--publish-addr: "0.0.0" is not an IP address/],
    [['--engine', 'tcp://1.2.3.4:2375'], /--engine: "tcp:\/\/1.2.3.4:2375" is not a unix socket/],
    [['--mesh-processes', '0'], /--mesh-processes: "0" is neither "auto" nor a number from 1 to 64/],
    [['--allow', 'devices,root'], /--allow: "root" is not one of privileged, devices, gpus, host-pid, host-ipc/],
    [['--log-level', 'loud'], /--log-level: "loud" is not one of debug, info/],
    [['--hostname', 'a b'], /--hostname: "a b" is not a host name/],
    [['--socket', `/tmp/${'x'.repeat(120)}`], /--socket: .* is longer than the 107 bytes/],
    [['--advertise-addr', ''], /--advertise-addr: a value is missing/],
    [['--data-dir', ''], /--data-dir: a value is missing/],
    [['--data-dir'], /--data-dir/],
    [['--colour', 'red'], /--colour/],
    [['start'], /start/],
  ])('%j is refused by name', (argv, message) => {
    expect(() => parseDaemonOptions(argv, {})).toThrow(message);
  });

  test('a wrong variable is named as the variable', () => {
    expect(() => parseDaemonOptions([], { BALE_PUBLISH_ADDR: 'x' })).toThrow(/^BALE_PUBLISH_ADDR: "x"/);
  });

  test('help names every option, its variable and its default', () => {
    for (const { name, env, fallback } of DAEMON_OPTIONS) {
      const line = daemonHelp()
        .split('\n')
        .find((text) => text.includes(`--${name} `));
      expect(line).toContain(env);
      if (fallback !== undefined) expect(line).toContain(fallback);
    }
    expect(parseDaemonOptions(['--help'], {})).toEqual({ kind: 'help' });
    expect(parseDaemonOptions(['--version'], {})).toEqual({ kind: 'version' });
  });
});
