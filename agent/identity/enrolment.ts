import { BaleError, errorMessage, isBaleError } from '../../core/errors.js';
import type { NodeIdentity } from '../../core/identity.js';
import { createCsr, isSignedFor, readSubject } from '../../core/x509.js';
import { fetchRootCertificate, requestNodeCertificate } from '../../proto/cluster-client.js';
import { parseJoinToken, rootDigest } from '../../proto/join-token.js';

export interface EnrolmentOptions {
  /** host:port of managers, tried in turn. */
  readonly managers: readonly string[];
  readonly token: string;
  /** active, pause, drain, or empty for active. */
  readonly availability: string;
  /**
   * The private key to join with, PEM; asked for once a manager has shown the root of the token. It must be on disk
   * when this resolves: by it the manager knows a joiner that asks again because the answer was lost.
   */
  readonly privateKey: () => Promise<string>;
  readonly signal: AbortSignal;
}

/**
 * Joins a cluster: a key of this machine, a certificate from the first manager that can be reached. A
 * manager gets to see the token's secret only when its root matches the token's digest.
 *
 * A manager that answers decides: only one that cannot be reached makes the next be asked.
 */
export async function enrol(options: EnrolmentOptions): Promise<NodeIdentity> {
  const { rootDigest: digest } = parseJoinToken(options.token);
  const failures: Error[] = [];
  for (const addr of options.managers) {
    try {
      return await enrolAt(addr, digest, options);
    } catch (error) {
      if (!isBaleError(error, 'BALE_MANAGER_UNREACHABLE')) throw error;
      failures.push(error);
    }
  }
  const [only] = failures;
  if (only !== undefined && failures.length === 1) throw only;
  throw new BaleError(
    failures.length === 0
      ? 'no address of a manager was given'
      : `none of the managers could be reached: ${failures.map(errorMessage).join('; ')}`,
    failures.length === 0
      ? { kind: 'invalid', code: 'BALE_MANAGER_ADDRESS_MISSING' }
      : { kind: 'unavailable', code: 'BALE_MANAGER_UNREACHABLE' },
  );
}

async function enrolAt(
  addr: string,
  digest: string,
  { token, availability, privateKey: askForKey, signal }: EnrolmentOptions,
): Promise<NodeIdentity> {
  const trustRoot = await fetchRootCertificate(addr, signal);
  if (rootDigest(trustRoot) !== digest) {
    throw new BaleError(
      `the manager at ${addr} shows a root certificate that does not match the join token: ` +
        'it is of another cluster than the token, or something stands between. The token was not sent',
      { kind: 'failed-precondition', code: 'BALE_CA_MISMATCH' },
    );
  }
  const privateKey = await askForKey();
  const request = { csr: createCsr(privateKey), token: token.trim(), availability };
  const { certificate, nodeId, clusterId, role } = await requestNodeCertificate(addr, trustRoot, request, signal);
  const subject = readSubject(certificate);
  const isAsTold = subject.nodeId === nodeId && subject.clusterId === clusterId && subject.role === role;
  if (!isAsTold || !isSignedFor(certificate, trustRoot, privateKey)) {
    throw new BaleError(`the manager at ${addr} issued a certificate that does not fit the request`, {
      kind: 'internal',
      code: 'BALE_CERTIFICATE_INVALID',
    });
  }
  return { nodeId, clusterId, role, certificate, privateKey, trustRoot };
}
