import { backoffDelay, withJitter, type BackoffPolicy } from '../../core/backoff.js';
import type { Clock } from '../../core/clock.js';
import { BaleError, errorMessage } from '../../core/errors.js';
import { saveIdentity } from '../../core/identity-file.js';
import type { IdentitySource, NodeIdentity } from '../../core/identity.js';
import type { Logger } from '../../core/logger.js';
import { CERTIFICATE_BACKDATE, createCsr, isSignedFor, newPrivateKey, readSubject, validity } from '../../core/x509.js';
import { renewCertificate } from '../../proto/cluster-client.js';
import { renewalTime } from './renewal-time.js';

export interface RenewalOptions {
  readonly identity: IdentitySource;
  /** Path of the identity file. */
  readonly identityFile: string;
  /** host:port of the managers known now. */
  readonly managers: () => readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
}

const RETRY: BackoffPolicy = { initial: 2_000, max: 5 * 60 * 1000 };
/** ms: timers of Node cannot be set for more than 24 days, and a suspended machine must look at its clock again. */
const LONGEST_SLEEP = 60 * 60 * 1000;

/**
 * Renews the node's certificate in good time, with a new key, for as long as the node is a member.
 *
 * Invariant: an identity is on disk before anybody uses it, so that a crash never leaves a node
 * with a certificate that nobody kept.
 */
export function startRenewal(options: RenewalOptions): { close(): Promise<void> } {
  const { identity, clock, logger } = options;
  const abort = new AbortController();
  let failures = 0;
  let cancel: (() => void) | undefined;
  let running: Promise<void> = Promise.resolve();

  const sleepUntil = (at: number): void => {
    if (abort.signal.aborted) return;
    const rest = at - clock.now();
    cancel = clock.schedule(Math.min(Math.max(rest, 0), LONGEST_SLEEP), () => {
      if (clock.now() < at) sleepUntil(at);
      else running = attempt();
    });
  };
  const attempt = async (): Promise<void> => {
    try {
      const renewed = await renew(options, abort.signal);
      await saveIdentity(options.identityFile, renewed);
      if (abort.signal.aborted) return;
      identity.replace(renewed);
      failures = 0;
      logger.info({ until: new Date(validity(renewed.certificate).notAfter).toISOString() }, 'certificate renewed');
      sleepUntil(nextRenewal(renewed, options.random()));
    } catch (error) {
      if (abort.signal.aborted) return;
      const delay = withJitter(backoffDelay(RETRY, failures), options.random());
      failures += 1;
      const until = new Date(validity(identity.current.certificate).notAfter).toISOString();
      logger.warn({ err: errorMessage(error), until, retryIn: delay }, 'the certificate could not be renewed yet');
      sleepUntil(clock.now() + delay);
    }
  };

  sleepUntil(nextRenewal(identity.current, options.random()));
  return {
    close: async () => {
      abort.abort();
      cancel?.();
      await running;
    },
  };
}

function nextRenewal({ certificate }: NodeIdentity, random: number): number {
  const { notBefore, notAfter } = validity(certificate);
  return renewalTime({ issuedAt: notBefore + CERTIFICATE_BACKDATE, expiresAt: notAfter }, random);
}

/** Asks the managers in turn. Throws the last one's failure. */
async function renew(options: RenewalOptions, signal: AbortSignal): Promise<NodeIdentity> {
  const { current } = options.identity;
  const privateKey = newPrivateKey();
  const csr = createCsr(privateKey);
  let failure: unknown = new BaleError('no manager is known', {
    kind: 'unavailable',
    code: 'BALE_MANAGER_UNREACHABLE',
  });
  for (const addr of options.managers()) {
    try {
      const certificate = await renewCertificate(addr, options.identity, csr, signal);
      const subject = readSubject(certificate);
      const isSameNode = subject.nodeId === current.nodeId && subject.clusterId === current.clusterId;
      if (isSameNode && isSignedFor(certificate, current.trustRoot, privateKey)) {
        return { ...subject, certificate, privateKey, trustRoot: current.trustRoot };
      }
      failure = new BaleError(`the manager at ${addr} issued a certificate that does not fit the request`, {
        kind: 'internal',
        code: 'BALE_CERTIFICATE_INVALID',
      });
    } catch (error) {
      failure = error;
    }
    if (signal.aborted) break;
  }
  throw failure;
}
