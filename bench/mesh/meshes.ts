import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { LocalEndpoint, MeshConfig } from '../../agent/mesh/messages.js';
import { saveIdentity } from '../../core/identity-file.js';
import type { EndpointTable, PublishedPort } from '../../proto/endpoint-table.js';
import { TestCa } from '../../test/support/identities.js';
import { ADDRESS, PORT } from './hops.js';

const CLUSTER = 'bench';
/** One replica: beside the first mesh for ports http and tcp, beside the second for the tunnelled ones. */
const TASKS = { local: 'localtask', remote: 'remotetask' };

/** A mesh process before its start: the file to start it with, and what to tell it then. */
export interface PreparedMesh {
  readonly configFile: string;
  readonly socket: string;
  readonly locals: readonly LocalEndpoint[];
}

/** Writes identities and configs of two mesh processes, and a certificate for HAProxy. */
export async function prepareMeshes(directory: string): Promise<readonly PreparedMesh[]> {
  const ca = await TestCa.create(CLUSTER);
  const haproxy = ca.identity('haproxy');
  await writeFile(join(directory, 'haproxy.pem'), haproxy.certificate + haproxy.privateKey, { mode: 0o600 });
  await writeFile(join(directory, 'root.pem'), ca.certificate);
  const nodes = [
    { nodeId: 'node1', address: ADDRESS.mesh, taskId: TASKS.local },
    { nodeId: 'node2', address: ADDRESS.meshPeer, taskId: TASKS.remote },
  ];
  return Promise.all(
    nodes.map(async ({ nodeId, address, taskId }) => {
      const identityFile = join(directory, `${nodeId}.pem`);
      const configFile = join(directory, `${nodeId}.json`);
      const socket = join(directory, `${nodeId}.sock`);
      const config: MeshConfig = {
        nodeId,
        clusterId: CLUSTER,
        identityFile,
        listenAddr: `${address}:2378`,
        publishAddr: address,
        socket,
        logLevel: 'warn',
      };
      await saveIdentity(identityFile, ca.identity(nodeId));
      await writeFile(configFile, JSON.stringify(config));
      return { configFile, socket, locals: [{ taskId, address: ADDRESS.backend, pid: process.pid }] };
    }),
  );
}

const port = (publishedPort: number, mode: PublishedPort['mode'], taskId: string, nodeId: string): PublishedPort => ({
  publishedPort,
  protocol: 'tcp',
  mode,
  serviceId: 'bench',
  serviceName: 'bench',
  endpoints: [{ taskId, nodeId, targetPort: PORT.backend, state: 'active' }],
});

const TABLE: EndpointTable = {
  number: 1,
  clusterId: CLUSTER,
  nodes: [
    { nodeId: 'node1', meshAddr: `${ADDRESS.mesh}:2378` },
    { nodeId: 'node2', meshAddr: `${ADDRESS.meshPeer}:2378` },
  ],
  ports: [
    port(PORT.http, 'auto', TASKS.local, 'node1'),
    port(PORT.tcp, 'tcp', TASKS.local, 'node1'),
    port(PORT.tlsHttp, 'auto', TASKS.remote, 'node2'),
    port(PORT.tlsTcp, 'tcp', TASKS.remote, 'node2'),
  ],
};

/** Plays the daemon: tells a mesh its locals and the table; resolves with the connection once both are in use. */
export function tellMesh({ socket, locals }: PreparedMesh): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const daemon = connect(socket);
    daemon.once('error', reject);
    daemon.write(`${JSON.stringify({ kind: 'locals', locals })}\n${JSON.stringify({ kind: 'table', table: TABLE })}\n`);
    let text = '';
    daemon.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('"tableNumber":1')) resolve(daemon);
    });
  });
}
