import { BaleError } from '../core/errors.js';
import type { NodeSubject } from '../core/x509.js';
import type { Peer } from './cluster-peer.js';

/** Who may call a method: anybody, or members of the cluster in one of these roles. */
export type CallRule =
  { readonly kind: 'anybody' } | { readonly kind: 'members'; readonly roles: readonly Peer['role'][] };

const MEMBERS: CallRule = { kind: 'members', roles: ['worker', 'manager'] };

/** The rule of each method of the cluster port; a method that is not named is refused. */
export const CALL_RULES: ReadonlyMap<string, CallRule> = new Map<string, CallRule>([
  ['/bale.v1.CertificateAuthority/GetRootCertificate', { kind: 'anybody' }],
  ['/bale.v1.CertificateAuthority/IssueNodeCertificate', { kind: 'anybody' }],
  ['/bale.v1.CertificateAuthority/RenewNodeCertificate', MEMBERS],
  ['/bale.v1.Dispatcher/Session', MEMBERS],
  ['/bale.v1.Dispatcher/Leave', MEMBERS],
  ['/bale.v1.Streams/Connect', MEMBERS],
]);

/** What is known of the other end of a connection. */
export type Caller =
  | { readonly kind: 'none' }
  /** It showed a certificate that the cluster's root did not sign, or that is out of date. Its claim serves the message only. */
  | { readonly kind: 'unverified'; readonly claim: NodeSubject | undefined; readonly issue: 'expired' | 'other-root' }
  | { readonly kind: 'verified'; readonly peer: Peer };

/** Why this call is refused before its handler; undefined when it may go on. */
export function refuseCall(
  method: string,
  rule: CallRule | undefined,
  caller: Caller,
  clusterId: string,
): BaleError | undefined {
  if (rule === undefined) return forbidden('BALE_METHOD_FORBIDDEN', `no peer may call ${method}`);
  if (rule.kind === 'anybody') return undefined;
  switch (caller.kind) {
    case 'none':
      return new BaleError(`${method} needs the certificate of a member of cluster ${clusterId}; none was presented`, {
        kind: 'unauthenticated',
        code: 'BALE_CERTIFICATE_REQUIRED',
      });
    case 'unverified':
      return refuseUnverified(caller.claim, caller.issue, clusterId);
    case 'verified': {
      const { peer } = caller;
      if (peer.clusterId !== clusterId) return otherCluster(peer, clusterId);
      if (rule.roles.includes(peer.role)) return undefined;
      return forbidden('BALE_ROLE_FORBIDDEN', `node ${peer.nodeId} is a ${peer.role}: it may not call ${method}`);
    }
  }
}

function refuseUnverified(
  claim: NodeSubject | undefined,
  issue: 'expired' | 'other-root',
  clusterId: string,
): BaleError {
  if (claim !== undefined && claim.clusterId !== clusterId) return otherCluster(claim, clusterId);
  const who = claim === undefined ? 'the certificate' : `the certificate of node ${claim.nodeId}`;
  switch (issue) {
    case 'expired':
      return new BaleError(
        `${who} is refused: it has expired, or is not valid yet by this clock. ` +
          'On that node, run "bale swarm leave --force" and join again',
        { kind: 'unauthenticated', code: 'BALE_CERTIFICATE_EXPIRED' },
      );
    case 'other-root':
      return new BaleError(`${who} is refused: the root of cluster ${clusterId} did not sign it`, {
        kind: 'unauthenticated',
        code: 'BALE_CERTIFICATE_INVALID',
      });
  }
}

const otherCluster = (claim: NodeSubject, clusterId: string): BaleError =>
  forbidden(
    'BALE_OTHER_CLUSTER',
    `node ${claim.nodeId}: certificate of cluster ${claim.clusterId} presented to cluster ${clusterId}`,
  );

const forbidden = (code: string, message: string): BaleError => new BaleError(message, { kind: 'forbidden', code });
