import { createHash } from 'node:crypto';
import { Server, ServerCredentials, status, type ServiceError } from '@grpc/grpc-js';
import { connect } from 'node:tls';
import { parseHostPort } from '../../core/address.js';
import { channelOptions, joinerCredentials } from '../../proto/cluster-channel.js';
import type { CertificateAuthorityHandlers } from '../../proto/generated/bale/v1/CertificateAuthority.js';
import { fromServiceError } from '../../proto/grpc-errors.js';
import { clusterServices } from '../../proto/grpc-services.js';
import type { TestCa } from './identities.js';

/** Peers that do not keep to the rules of the cluster port. */

/** Opens a session without any certificate; resolves with why it ended. */
export function openSessionAsStranger(addr: string, trustRoot: string): Promise<Error> {
  const { Dispatcher } = clusterServices();
  const client = new Dispatcher(addr, joinerCredentials(trustRoot), channelOptions({ receive: 1e6 }, 'swarm-manager'));
  return new Promise((resolve) => {
    const call = client.session();
    call.on('error', (error: ServiceError) => {
      client.close();
      resolve(fromServiceError(error, addr));
    });
    call.write({ heartbeat: {} });
  });
}

/** A digest of the certificate that the server at `addr` shows to a new connection. */
export function certificateShown(addr: string): Promise<string> {
  const { host, port } = parseHostPort(addr, { port: 0 }, 'address');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ['h2'] }, () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      resolve(
        createHash('sha256')
          .update(certificate?.raw ?? '')
          .digest('hex'),
      );
    });
    socket.on('error', reject);
  });
}

/** A manager of another protocol version, with real TLS; resolves with its address and what reached it. */
export async function startManagerOfVersion(
  protocolVersion: number,
  ca: TestCa,
): Promise<{ readonly addr: string; readonly tokens: string[]; close(): void }> {
  const { privateKey, certificate } = ca.identity('manager', 'manager');
  const tokens: string[] = [];
  const server = new Server();
  server.addService(clusterServices().CertificateAuthority.service, {
    GetRootCertificate: ((_call, respond) => {
      respond(null, { rootCertificate: ca.certificate, protocolVersion });
    }) satisfies CertificateAuthorityHandlers['GetRootCertificate'],
    IssueNodeCertificate: (({ request }, respond) => {
      tokens.push(request.token);
      respond({ code: status.UNAVAILABLE });
    }) satisfies CertificateAuthorityHandlers['IssueNodeCertificate'],
  });
  const keys = [{ private_key: Buffer.from(privateKey), cert_chain: Buffer.from(certificate) }];
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, keys), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    addr: `127.0.0.1:${port}`,
    tokens,
    close: () => {
      server.forceShutdown();
    },
  };
}
