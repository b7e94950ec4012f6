import { isIP } from 'node:net';
import { hostname as systemHostname } from 'node:os';
import { dirname, isAbsolute, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type HostPort, parseHostPort } from '../core/address.js';
import { BaleError, errorMessage } from '../core/errors.js';
import { LOG_LEVELS, type LogLevel } from '../core/logger.js';
import { parseGenericResources } from '../proto/engine/generic-resource.js';
import { HOST_POWERS, type HostPower } from '../proto/engine/host-options.js';
import type { GenericResource } from '../proto/engine/task-spec.js';
import type { MeshProcesses } from './mesh-processes.js';

export interface DaemonOptions {
  /** Absolute path of the API socket. */
  readonly socket: string;
  /** Where the API is served to other machines, over TLS with client certificates. */
  readonly hosts: readonly HostPort[];
  /** Host names and IP addresses that clients may reach `hosts` by, besides those themselves. */
  readonly tlsNames: readonly string[];
  /** Absolute path; everything that must survive a restart. */
  readonly dataDir: string;
  /** Absolute path; sockets that live as long as the machine is up. */
  readonly runDir: string;
  /** Absolute path of the Docker Engine's unix socket. */
  readonly engineSocket: string;
  /** The cluster port, on managers. */
  readonly listenAddr: HostPort;
  /** IP address, interface name, or either with a port. Absent: chosen when the node becomes a member. */
  readonly advertiseAddr?: string;
  /** Where the mesh listens for tunnels of other nodes. */
  readonly meshAddr: HostPort;
  /** IP address on which published ports are opened. */
  readonly publishAddr: string;
  readonly meshProcesses: MeshProcesses;
  readonly hostname: string;
  /** What this node has to give to tasks besides CPU and memory. */
  readonly genericResources: readonly GenericResource[];
  /** Power over nodes that services may give to their containers, where this node is a manager. */
  readonly allow: readonly HostPower[];
  readonly logLevel: LogLevel;
}

interface OptionRow {
  readonly name: string;
  /** What stands for the value in the help. */
  readonly value: string;
  readonly env: string;
  /** Absent: computed, as the help line says. */
  readonly fallback?: string;
  /** May be given more than once; each value may hold several, parted by commas. */
  readonly many?: boolean;
  readonly help: string;
}

/** Every option of `bale daemon`, as data: the parser, its help and the CLI's help come from it. */
export const DAEMON_OPTIONS: readonly OptionRow[] = [
  {
    name: 'socket',
    value: 'PATH',
    env: 'BALE_SOCKET',
    fallback: '/run/bale/bale.sock',
    help: 'unix socket of the API',
  },
  {
    name: 'host',
    value: 'tcp://IP[:2376]',
    env: 'BALE_LISTEN_HOST',
    many: true,
    help: 'serves the API to client certificates too, on a manager; may be repeated (none)',
  },
  {
    name: 'tls-san',
    value: 'NAME|IP',
    env: 'BALE_TLS_SAN',
    many: true,
    help: 'another name that clients reach --host by; may be repeated (none)',
  },
  {
    name: 'data-dir',
    value: 'DIR',
    env: 'BALE_DATA_DIR',
    fallback: '/var/lib/bale',
    help: 'directory for all state of this node',
  },
  {
    name: 'run-dir',
    value: 'DIR',
    env: 'BALE_RUN_DIR',
    help: "directory for the mesh's socket (the directory of --socket)",
  },
  {
    name: 'engine',
    value: 'URL',
    env: 'BALE_ENGINE',
    fallback: 'unix:///var/run/docker.sock',
    help: 'the Docker Engine of this node',
  },
  {
    name: 'listen-addr',
    value: 'IP:PORT',
    env: 'BALE_LISTEN_ADDR',
    fallback: '0.0.0.0:2377',
    help: 'cluster port, when this node is a manager',
  },
  {
    name: 'advertise-addr',
    value: 'IP|IFACE[:PORT]',
    env: 'BALE_ADVERTISE_ADDR',
    help: "address that the other nodes dial (the machine's only address)",
  },
  {
    name: 'mesh-addr',
    value: 'IP:PORT',
    env: 'BALE_MESH_ADDR',
    fallback: '0.0.0.0:2378',
    help: 'port for routed traffic of other nodes',
  },
  {
    name: 'publish-addr',
    value: 'IP',
    env: 'BALE_PUBLISH_ADDR',
    fallback: '0.0.0.0',
    help: 'address on which published ports are opened',
  },
  {
    name: 'mesh-processes',
    value: 'N|auto',
    env: 'BALE_MESH_PROCESSES',
    fallback: 'auto',
    help: 'processes that route traffic; auto: one on up to 3 cores, else half of the cores, at most 4',
  },
  {
    name: 'hostname',
    value: 'NAME',
    env: 'BALE_HOSTNAME',
    help: "this node's name in the cluster (the machine's host name)",
  },
  {
    name: 'generic-resource',
    value: 'KIND=NUMBER|NAME',
    env: 'BALE_GENERIC_RESOURCES',
    many: true,
    help: 'e.g. gpu=4, or gpu=UUID1,gpu=UUID2; may be repeated (none)',
  },
  {
    name: 'allow',
    value: 'POWER[,POWER]',
    env: 'BALE_ALLOW',
    many: true,
    help: `what services may give to containers, on a manager: ${HOST_POWERS.join(', ')} (none)`,
  },
  {
    name: 'log-level',
    value: LOG_LEVELS.join('|'),
    env: 'BALE_LOG_LEVEL',
    fallback: 'info',
    help: 'lowest level that is logged',
  },
];

export type DaemonCommand =
  { readonly kind: 'run'; readonly options: DaemonOptions } | { readonly kind: 'help' } | { readonly kind: 'version' };

/** The text of `bale daemon --help`. */
export function daemonHelp(): string {
  const rows = DAEMON_OPTIONS.map(({ name, value, env, fallback, help }) => {
    const described = fallback === undefined ? help : `${help} (${fallback})`;
    return `  ${`--${name} ${value}`.padEnd(41)}${described} [${env}]`;
  });
  return [
    'Usage: bale daemon [OPTIONS]',
    '',
    'Runs the bale daemon of this node. Each option can be set by the variable in brackets;',
    'the command line wins.',
    '',
    'Options:',
    ...rows,
    `  ${'--help'.padEnd(41)}show this text`,
    `  ${'--version'.padEnd(41)}show the version`,
    '',
  ].join('\n');
}

/** Reads the command line and the environment. Throws BALE_OPTION_INVALID naming option and value. */
export function parseDaemonOptions(argv: readonly string[], env: NodeJS.ProcessEnv): DaemonCommand {
  const given = readCommandLine(argv);
  if (given.help === true) return { kind: 'help' };
  if (given.version === true) return { kind: 'version' };
  const text = (name: string): { readonly value: string | undefined; readonly field: string } => {
    const row = DAEMON_OPTIONS.find((candidate) => candidate.name === name);
    const flag = given[name];
    if (typeof flag === 'string') return { value: flag, field: `--${name}` };
    if (Array.isArray(flag)) return { value: flag.join(','), field: `--${name}` };
    const variable = row === undefined ? undefined : env[row.env];
    if (variable !== undefined && variable !== '') return { value: variable, field: row?.env ?? name };
    return { value: row?.fallback, field: `--${name}` };
  };
  const hosts = readHosts(text('host'));
  const socket = hosts.socket ?? socketPath(text('socket'));
  const runDir = text('run-dir');
  const advertise = text('advertise-addr');
  return {
    kind: 'run',
    options: {
      socket,
      hosts: hosts.addresses,
      tlsNames: tlsNames(text('tls-san')),
      dataDir: path(text('data-dir')),
      runDir: runDir.value === undefined ? dirname(socket) : path(runDir),
      engineSocket: engineSocket(text('engine')),
      listenAddr: ipAndPort(text('listen-addr'), 2377),
      ...(advertise.value === undefined ? {} : { advertiseAddr: nonEmpty(advertise) }),
      meshAddr: ipAndPort(text('mesh-addr'), 2378),
      publishAddr: ip(text('publish-addr')),
      meshProcesses: meshProcesses(text('mesh-processes')),
      hostname: hostName(text('hostname')),
      genericResources: genericResources(text('generic-resource')),
      allow: powers(text('allow')),
      logLevel: logLevel(text('log-level')),
    },
  };
}

interface OptionText {
  readonly value: string | undefined;
  /** How the user gave it: the flag or the variable. */
  readonly field: string;
}

function readCommandLine(argv: readonly string[]): Record<string, string | boolean | (string | boolean)[] | undefined> {
  const strings = Object.fromEntries(
    DAEMON_OPTIONS.map(({ name, many = false }) => [name, { type: 'string' as const, multiple: many }]),
  );
  try {
    return parseArgs({
      args: [...argv],
      strict: true,
      allowPositionals: false,
      options: { ...strings, help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
    }).values;
  } catch (error) {
    throw invalid(`${errorMessage(error)}; see bale daemon --help`);
  }
}

const invalid = (message: string): BaleError =>
  new BaleError(message, { kind: 'invalid', code: 'BALE_OPTION_INVALID' });

function nonEmpty({ value, field }: OptionText): string {
  if (value === undefined || value.trim() === '') throw invalid(`${field}: a value is missing`);
  return value;
}

const path = (option: OptionText): string => resolve(nonEmpty(option));

/** The kernel keeps 108 bytes for the path of a unix socket, the last one zero. */
const SOCKET_PATH_MAX = 107;

function socketPath(option: OptionText): string {
  const absolute = path({ ...option, value: nonEmpty(option).replace(/^unix:\/\//, '') });
  if (Buffer.byteLength(absolute) > SOCKET_PATH_MAX) {
    throw invalid(`${option.field}: "${absolute}" is longer than the ${SOCKET_PATH_MAX} bytes a unix socket may have`);
  }
  return absolute;
}

/** `tcp://` addresses; a `unix://` one is the path of the socket. There is none without TLS, and no way to ask for one. */
function readHosts({ value, field }: OptionText): {
  readonly addresses: readonly HostPort[];
  readonly socket?: string;
} {
  const texts = (value ?? '').split(',').filter((text) => text !== '');
  const sockets = texts.filter((text) => text.startsWith('unix://'));
  const [unix] = sockets;
  if (sockets.length > 1) throw invalid(`${field}: a daemon has one unix socket, not ${sockets.length}`);
  const addresses = texts
    .filter((text) => !text.startsWith('unix://'))
    .map((text): HostPort => {
      const address = /^tcp:\/\/(?<address>[^/?#@]+)\/?$/.exec(text)?.groups?.address;
      if (address === undefined) {
        throw invalid(
          `${field}: "${text}" is not of the form tcp://IP:PORT or unix:///PATH; TCP is always served over TLS to ` +
            'client certificates, and nothing turns that off',
        );
      }
      return ipAndPort({ value: address, field }, 2376);
    });
  return { addresses, ...(unix === undefined ? {} : { socket: socketPath({ value: unix, field }) }) };
}

function tlsNames({ value, field }: OptionText): readonly string[] {
  const names = (value ?? '').split(',').filter((name) => name !== '');
  for (const name of names) if (isIP(name) === 0) hostName({ value: name, field });
  return names;
}

function engineSocket(option: OptionText): string {
  const value = nonEmpty(option);
  const match = /^unix:\/\/(?<path>\/.+)$/.exec(value)?.groups?.path ?? (isAbsolute(value) ? value : undefined);
  if (match === undefined) {
    throw invalid(`${option.field}: "${value}" is not a unix socket; write it like unix:///var/run/docker.sock`);
  }
  return match;
}

function ipAndPort(option: OptionText, port: number): HostPort {
  const parsed = parseHostPort(nonEmpty(option), { host: '0.0.0.0', port }, option.field);
  if (isIP(parsed.host) === 0) {
    throw invalid(`${option.field}: "${parsed.host}" is not an IP address; write it like 0.0.0.0:${port}`);
  }
  return parsed;
}

function ip(option: OptionText): string {
  const value = nonEmpty(option);
  if (isIP(value) === 0) throw invalid(`${option.field}: "${value}" is not an IP address`);
  return value;
}

const MOST_MESH_PROCESSES = 64;

function meshProcesses(option: OptionText): MeshProcesses {
  const value = nonEmpty(option);
  if (value === 'auto') return value;
  const count = /^\d{1,3}$/.test(value) ? Number(value) : 0;
  if (count < 1 || count > MOST_MESH_PROCESSES) {
    throw invalid(`${option.field}: "${value}" is neither "auto" nor a number from 1 to ${MOST_MESH_PROCESSES}`);
  }
  return count;
}

function hostName({ value, field }: OptionText): string {
  const name = value ?? systemHostname();
  if (!/^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/.test(name)) {
    throw invalid(`${field}: "${name}" is not a host name (letters, digits, ".", "-" and "_")`);
  }
  return name;
}

function genericResources({ value, field }: OptionText): readonly GenericResource[] {
  if (value === undefined) return [];
  try {
    return parseGenericResources([value]);
  } catch (error) {
    throw invalid(`${field}: ${errorMessage(error)}`);
  }
}

function powers({ value, field }: OptionText): readonly HostPower[] {
  const words = (value ?? '').split(',').filter((word) => word !== '');
  const found = HOST_POWERS.filter((power) => words.includes(power));
  const unknown = words.find((word) => !found.some((power) => power === word));
  if (unknown !== undefined) throw invalid(`${field}: "${unknown}" is not one of ${HOST_POWERS.join(', ')}`);
  return found;
}

function logLevel({ value, field }: OptionText): LogLevel {
  const level = LOG_LEVELS.find((candidate) => candidate === value);
  if (level === undefined) throw invalid(`${field}: "${value ?? ''}" is not one of ${LOG_LEVELS.join(', ')}`);
  return level;
}
