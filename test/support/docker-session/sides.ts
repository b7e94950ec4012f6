import { mkdir, writeFile } from 'node:fs/promises';
import { Docker, dockerClients } from '../docker-client.js';
import { startHosts, type Hosts } from '../hosts.js';
import { Side } from './side.js';
import type { HostName } from './step.js';

/** The files that rows name. */
const FILES: Readonly<Record<string, string>> = {
  payload: 'two',
  env: 'F=g\n# nothing\nH=i\n',
  'compose.yml':
    'version: "3.8"\nservices:\n  page:\n    image: bale-test:1\n    environment:\n      A: ${NOT_THERE:-b}\n',
  'ca.pem': '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n',
  'ca.key': '-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n',
};

/** Hosts whose Engines can be a Docker Swarm while bale makes another of them. */
export interface Sides extends AsyncDisposable {
  readonly hosts: Hosts;
  readonly docker: Docker;
  readonly bale: Side;
  readonly swarm: Side;
}

/** Three hosts for both, the Swarm on a cluster port of its own. */
export async function startSides(): Promise<Sides> {
  const hosts = await startHosts(3);
  const client = dockerClients()[0] ?? { name: 'docker', path: 'docker' };
  const named = { h1: hosts.host(1), h2: hosts.host(2), h3: hosts.host(3) };
  const directory = `${named.h1.directory}/files`;
  await mkdir(directory);
  for (const [name, text] of Object.entries(FILES)) await writeFile(`${directory}/${name}`, text);
  const on = (socket: 'engineSocket' | 'baleSocket') => (host: HostName) => new Docker(client, named[host][socket]);
  const shared = { hosts: named, directory };
  return {
    hosts,
    docker: on('baleSocket')('h1'),
    bale: new Side({ ...shared, name: 'bale', client: on('baleSocket'), portDigit: '1', clusterPort: 2377 }),
    swarm: new Side({ ...shared, name: 'Swarm', client: on('engineSocket'), portDigit: '2', clusterPort: 2477 }),
    [Symbol.asyncDispose]: () => hosts[Symbol.asyncDispose](),
  };
}
