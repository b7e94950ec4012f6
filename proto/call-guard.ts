import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { X509Certificate } from 'node:crypto';
import { BaleError } from '../core/errors.js';
import { readSubject, type NodeSubject } from '../core/x509.js';
import { CALL_RULES, refuseCall, type Caller } from './call-admission.js';
import type { ClusterListener } from './cluster-listener.js';
import type { Peer } from './cluster-peer.js';
import { toStatus } from './grpc-errors.js';

/** What grpc-js tells of the other end of a call; `getAuthContext` holds a certificate only when it verified. */
type CallOrigin = Pick<ServerInterceptingCall, 'getAuthContext' | 'getPeer'>;

export interface CallGuardOptions {
  readonly clusterId: () => string;
  /** Throws when a member is none any more. */
  readonly authorize: (peer: Peer) => void;
  readonly connection: ClusterListener['connection'];
  /** Told of each refusal. What strangers are refused is no news: anybody could fill the log with it. */
  readonly refused: (refusal: { method: string; peer: string; isMember: boolean; error: unknown }) => void;
}

/** Refuses calls by role, cluster and membership before any handler runs and before a message is read. */
export function callGuard(options: CallGuardOptions): ServerInterceptor {
  return (method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, nextMetadata) => {
            let caller: Caller = { kind: 'none' };
            try {
              const rule = CALL_RULES.get(method.path);
              caller = identify(call, options.connection);
              const refusal = refuseCall(method.path, rule, caller, options.clusterId());
              if (refusal !== undefined) throw refusal;
              if (rule?.kind === 'members' && caller.kind === 'verified') options.authorize(caller.peer);
            } catch (error) {
              const isMember = caller.kind === 'verified';
              options.refused({ method: method.path, peer: call.getPeer(), isMember, error });
              call.sendStatus(toStatus(error));
              return;
            }
            nextMetadata(metadata);
          },
        });
      },
    });
}

/** The peer of a call that the guard let through to a members' method. */
export function peerOf(call: CallOrigin): Peer {
  const caller = identify(call, undefined);
  if (caller.kind === 'verified') return caller.peer;
  throw new BaleError('this call has no verified peer', { kind: 'unauthenticated', code: 'BALE_CERTIFICATE_REQUIRED' });
}

function identify(call: CallOrigin, connection: ClusterListener['connection'] | undefined): Caller {
  const raw = call.getAuthContext().sslPeerCertificate?.raw;
  if (raw !== undefined) {
    const certificate = new X509Certificate(raw);
    const subject = readSubject(certificate);
    // A connection may outlive the certificate that opened it.
    if (Date.parse(certificate.validTo) <= Date.now()) return { kind: 'unverified', claim: subject, issue: 'expired' };
    return { kind: 'verified', peer: { ...subject, address: addressOf(call.getPeer()) } };
  }
  const socket = connection?.(call.getPeer());
  const shown = socket?.getPeerX509Certificate();
  if (socket === undefined || shown === undefined) return { kind: 'none' };
  // Node types this as an Error and gives OpenSSL's code.
  const expired = /EXPIRED|NOT_YET_VALID/.test(String(socket.authorizationError));
  return { kind: 'unverified', claim: claimOf(shown), issue: expired ? 'expired' : 'other-root' };
}

function claimOf(certificate: X509Certificate): NodeSubject | undefined {
  try {
    return readSubject(certificate);
  } catch {
    return undefined;
  }
}

/** `address:port` without the port, IPv4 in its own form. */
const addressOf = (peer: string): string => peer.replace(/:\d+$/, '').replace(/^::ffff:(?=\d+\.)/, '');
