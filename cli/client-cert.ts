import type { Command } from 'commander';
import type {
  ClientCertificateDocument,
  ClientCertificateRequest,
  IssuedClientCertificate,
} from '../proto/client-certificate.js';
import {
  CLIENT_ROLES,
  clientNameFault,
  type ClientRole,
  LONGEST_EXPIRY_NS,
  SHORTEST_EXPIRY_NS,
} from '../proto/client-certificate.js';
import { parseDuration } from '../proto/engine/duration.js';
import type { SwarmInfo } from '../proto/engine/swarm-document.js';
import { BaleError } from '../core/errors.js';
import type { ApiClient } from './client.js';
import { forEachOperand, type Context } from './context.js';
import { usageError } from './flags/usage-error.js';
import { renderList, type Column } from './view/list.js';
import { ago } from './view/relative-time.js';

interface CreateFlags {
  readonly role: string;
  readonly expiry: string;
  readonly out?: string;
}

/** `bale client-cert`: who may use the API from other machines. */
export function registerClientCert(program: Command, context: Context): void {
  const command = program
    .command('client-cert')
    .description('Manage client certificates, for access from other machines');

  command
    .command('create')
    .description('Make a key, have its certificate signed, and write both with the CA')
    .argument('<name>', 'Whose it is')
    .requiredOption('--role <role>', `What it is for (${CLIENT_ROLES.join(', ')})`)
    .option('--expiry <duration>', 'How long it is valid, e.g. 365d or 12h', '365d')
    .option('--out <dir>', 'Directory for ca.pem, cert.pem and key.pem (default: ./NAME)')
    .addHelpText('after', '\nExample:\n  bale client-cert create alice --role operator --out ~/.docker/bale')
    .action(async (name: string, flags: CreateFlags) => create(context, name, flags));

  command
    .command('ls')
    .alias('list')
    .description('List client certificates, the newest first')
    .option('--format <format>', 'table, json, or a Go template')
    .option('-q, --quiet', 'Only print names')
    .addHelpText('after', '\nExample:\n  bale client-cert ls')
    .action(async ({ format, quiet }: { format?: string; quiet?: boolean }) => {
      const client = await context.connect();
      const documents = await client.get<ClientCertificateDocument[]>('/bale/client-certificates');
      if (quiet === true) context.print(documents.map(({ name }) => `${name}\n`).join(''));
      else context.print(renderList(columns(Date.now()), documents, { format }));
    });

  command
    .command('revoke')
    .alias('rm')
    .description('Take client certificates back: at once, with all connections that are open')
    .argument('<name...>', 'Names')
    .addHelpText('after', '\nExample:\n  bale client-cert revoke alice')
    .action(async (names: string[]) => {
      const client = await context.connect();
      await forEachOperand(context, names, async (name) => {
        await client.delete(`/bale/client-certificates/${encodeURIComponent(name)}`);
        context.print(`${name}\n`);
      });
    });
}

const columns = (now: number): readonly Column<ClientCertificateDocument>[] => [
  { field: 'Name', heading: 'NAME', value: ({ name }) => name },
  { field: 'Role', heading: 'ROLE', value: ({ role }) => role },
  { field: 'State', heading: 'STATE', value: ({ state }) => state },
  { field: 'CreatedAt', heading: 'CREATED', value: ({ createdAt }) => ago(createdAt, now) },
  { field: 'ExpiresAt', heading: 'EXPIRES', value: ({ expiresAt }) => expiresAt.slice(0, 16).replace('T', ' ') },
  { field: 'RevokedAt', heading: 'REVOKED', value: ({ revokedAt = '' }) => revokedAt, hidden: true },
  { field: 'ID', heading: 'ID', value: ({ id }) => id, hidden: true },
];

async function create(context: Context, name: string, flags: CreateFlags): Promise<void> {
  checkName(name);
  const role = parseRole(flags.role);
  const expiry = parseExpiry(flags.expiry);
  const { claimDirectory, newRequest } = await import('./client-key.js');
  const directory = await claimDirectory(flags.out ?? name);
  const { privateKey, csr } = newRequest();
  const client = await context.connect();
  const body: ClientCertificateRequest = { name, role, csr, expiry };
  const issued = await client.post<IssuedClientCertificate>('/bale/client-certificates/create', body);
  await directory.write({ ca: issued.ca, cert: issued.certificate, key: privateKey });
  const address = await addressOf(client);
  context.print(instructions({ name, role, path: directory.path, address, until: issued.expiresAt }));
}

/** For the instructions alone: the certificate is made and written, whether it is told or not. */
async function addressOf(client: ApiClient): Promise<string> {
  try {
    const { Swarm } = await client.get<{ Swarm: SwarmInfo }>('/info');
    return Swarm.NodeAddr;
  } catch {
    return '';
  }
}

/** How the files are used. */
export function instructions(made: {
  readonly name: string;
  readonly role: ClientRole;
  readonly path: string;
  readonly address: string;
  readonly until: string;
}): string {
  const { name, role, path, until } = made;
  const address = made.address === '' ? 'MANAGER' : made.address;
  const host = `tcp://${address.includes(':') ? `[${address}]` : address}:2376`;
  return [
    `Client certificate ${name} (${role}, until ${until}) is in ${path}: ca.pem, cert.pem and key.pem.`,
    '',
    `The manager must run with \`bale daemon --host ${host}\`. To use it with docker:`,
    '',
    `    docker context create bale --docker "host=${host},ca=${path}/ca.pem,cert=${path}/cert.pem,key=${path}/key.pem"`,
    '    docker --context bale node ls',
    '',
    'and with bale, or anything else that reads these variables:',
    '',
    `    export DOCKER_HOST=${host} DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=${path}`,
    '    bale node ls',
    '',
    `To take it back: bale client-cert revoke ${name}`,
    '',
  ].join('\n');
}

function parseRole(text: string): ClientRole {
  const role = CLIENT_ROLES.find((known) => known === text);
  if (role !== undefined) return role;
  throw new BaleError(`--role: "${text}" is none of ${CLIENT_ROLES.join(', ')}`, {
    kind: 'invalid',
    code: 'BALE_ROLE_INVALID',
  });
}

/** Here too, and not by the daemon alone: it names a directory before the daemon is asked. */
function checkName(name: string): void {
  const fault = clientNameFault(name);
  if (fault !== undefined) throw new BaleError(`NAME: ${fault}`, { kind: 'invalid', code: 'BALE_CLIENT_NAME_INVALID' });
}

const DAY_NS = 24 * 60 * 60 * 1e9;

/** In ns; days too, which Go's durations do not have. */
export function parseExpiry(text: string): number {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  const expiry = days === undefined ? durationOf(text) : Number(days) * DAY_NS;
  if (expiry >= SHORTEST_EXPIRY_NS && expiry <= LONGEST_EXPIRY_NS) return expiry;
  throw usageError('--expiry', text, 'it must be from 1m to 3650d');
}

function durationOf(text: string): number {
  try {
    return parseDuration(text, '--expiry');
  } catch {
    throw usageError('--expiry', text, 'write it like 90m, 12h or 30d');
  }
}
