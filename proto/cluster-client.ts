import type { CallOptions, ClientUnaryCall, requestCallback, ServiceError } from '@grpc/grpc-js';
import { abortError } from '../core/abort.js';
import { BaleError } from '../core/errors.js';
import type { IdentitySource } from '../core/identity.js';
import { CA_SERVER_NAME, MANAGER_SERVER_NAME } from '../core/x509.js';
import {
  channelOptions,
  joinerCredentials,
  memberCredentials,
  targetOf,
  unverifiedCredentials,
} from './cluster-channel.js';
import { fromServiceError } from './grpc-errors.js';
import { clusterServices } from './grpc-services.js';
import { checkProtocolVersion, PROTOCOL_VERSION } from './protocol-version.js';

/** ms for a call of one request and one answer, connecting included. */
const CALL_DEADLINE = 5_000;
/** Bytes; certificates are a few hundred. */
const SMALL = { receive: 256 * 1024 };

export interface IssueRequest {
  /** PEM. */
  readonly csr: string;
  readonly token: string;
  readonly availability: string;
}

export interface IssuedIdentity {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly role: 'worker' | 'manager';
  /** PEM. */
  readonly certificate: string;
}

/**
 * The root certificate (PEM) that the manager at `addr` shows to anybody, once its protocol version
 * is known to be ours. Nothing vouches for it yet: compare it with a join token before using it.
 */
export async function fetchRootCertificate(addr: string, signal: AbortSignal): Promise<string> {
  const { CertificateAuthority } = clusterServices();
  const client = new CertificateAuthority(
    targetOf(addr),
    unverifiedCredentials(),
    channelOptions(SMALL, CA_SERVER_NAME),
  );
  const answer = await callOnce(
    client,
    addr,
    signal,
    (options, done: requestCallback<{ rootCertificate: string; protocolVersion: number }>) =>
      client.getRootCertificate({}, options, done),
  );
  checkProtocolVersion(answer.protocolVersion, `the manager at ${addr}`);
  return answer.rootCertificate;
}

/** Joins by token at a manager that `trustRoot` (PEM) vouches for; only such a one gets to see the token. */
export async function requestNodeCertificate(
  addr: string,
  trustRoot: string,
  request: IssueRequest,
  signal: AbortSignal,
): Promise<IssuedIdentity> {
  const { CertificateAuthority } = clusterServices();
  const options = channelOptions(SMALL, CA_SERVER_NAME);
  const client = new CertificateAuthority(targetOf(addr), joinerCredentials(trustRoot), options);
  const { csr, token, availability } = request;
  const { role, ...issued } = await callOnce(
    client,
    addr,
    signal,
    (call, done: requestCallback<{ nodeId: string; clusterId: string; role: string; certificate: string }>) =>
      client.issueNodeCertificate({ protocolVersion: PROTOCOL_VERSION, csr, token, availability }, call, done),
  );
  if (role === 'worker' || role === 'manager') return { ...issued, role };
  throw new BaleError(`the manager at ${addr} gave this node a role that is not known here: "${role}"`, {
    kind: 'internal',
    code: 'BALE_ROLE_UNKNOWN',
  });
}

/** A new certificate (PEM) for the key of `csr`, asked for with the present one. */
export async function renewCertificate(
  addr: string,
  identity: IdentitySource,
  csr: string,
  signal: AbortSignal,
): Promise<string> {
  const { CertificateAuthority } = clusterServices();
  const options = channelOptions(SMALL, CA_SERVER_NAME);
  const client = new CertificateAuthority(targetOf(addr), memberCredentials(identity.current), options);
  const answer = await callOnce(client, addr, signal, (call, done: requestCallback<{ certificate: string }>) =>
    client.renewNodeCertificate({ csr }, call, done),
  );
  return answer.certificate;
}

/** Tells the manager that this node leaves on purpose. */
export async function announceLeave(addr: string, identity: IdentitySource, signal: AbortSignal): Promise<void> {
  const { Dispatcher } = clusterServices();
  const options = channelOptions(SMALL, MANAGER_SERVER_NAME);
  const client = new Dispatcher(targetOf(addr), memberCredentials(identity.current), options);
  await callOnce(client, addr, signal, (call, done: requestCallback<object>) => client.leave({}, call, done));
}

/** One call on a channel of its own. Rejects with the handler's BaleError, or BALE_MANAGER_UNREACHABLE. */
async function callOnce<T>(
  client: { close(): void },
  addr: string,
  signal: AbortSignal,
  start: (options: CallOptions, done: requestCallback<T>) => ClientUnaryCall,
): Promise<T> {
  const cancel = new AbortController();
  try {
    return await new Promise<T>((resolve, reject) => {
      if (signal.aborted) {
        reject(abortError());
        return;
      }
      const done = (error: ServiceError | null, answer?: T): void => {
        if (error !== null) reject(signal.aborted ? abortError() : fromServiceError(error, addr));
        else if (answer !== undefined) resolve(answer);
      };
      const call = start({ deadline: Date.now() + CALL_DEADLINE }, done);
      const onAbort = (): void => {
        call.cancel();
      };
      signal.addEventListener('abort', onAbort, { once: true, signal: cancel.signal });
    });
  } finally {
    cancel.abort();
    client.close();
  }
}

export { openSession } from './open-session.js';
