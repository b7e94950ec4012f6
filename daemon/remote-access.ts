import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { formatHostPort, type HostPort } from '../core/address.js';
import type { Clock } from '../core/clock.js';
import { BaleError, errorMessage } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { certificateId, type ClientAuthority } from '../manager/ca/client-authority.js';
import type { ServerIdentity } from '../manager/ca/client-certificate.js';
import { CLIENT_REMEDY } from '../manager/ca/client-rules.js';
import { isUnspecified } from './advertise-address.js';
import { machineInterfaces } from './machine-addresses.js';
import { REMOTE_LIMITS, type RemoteLimits, type RemoteListener, startRemoteListener } from './remote-listener.js';
import type { Requester } from './requester.js';

export interface RemoteAccessOptions {
  /** `--host tcp://…`. */
  readonly hosts: readonly HostPort[];
  /** Host names and IP addresses that clients may reach this daemon by, besides those of `hosts`. */
  readonly names: readonly string[];
  readonly clients: ClientAuthority;
  /** Serves the API on a connection. */
  readonly serve: (socket: TLSSocket, requester: Requester) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: RemoteLimits;
}

/** How long after a failure a port is tried again, ms. */
const RETRY_MS = 5_000;
/** How often expiries of open connections, and the server's own certificate, are looked at, ms. */
const SWEEP_MS = 30_000;
/** How long connections outlive the ports, ms. */
const LAST_ANSWERS_MS = 500;

/**
 * The API for other machines, while this node is a manager: one port for each `--host`, one server
 * certificate for all. A port that cannot be opened is tried again; the cluster does not wait for it.
 *
 * Invariant: each connection in `#open` belongs to a certificate that was valid when the list of
 * certificates, or the sweep, was last looked at.
 */
export class RemoteAccess {
  readonly #options: RemoteAccessOptions;
  readonly #logger: Logger;
  readonly #listeners = new Map<string, RemoteListener>();
  /** By certificate. */
  readonly #open = new Map<string, Set<TLSSocket>>();
  readonly #unsubscribe: () => void;
  #identity: { readonly made: ServerIdentity; readonly names: string } | undefined;
  #cancel: () => void = () => undefined;
  #working: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: RemoteAccessOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ component: 'remote' });
    this.#unsubscribe = options.clients.onChange(() => {
      this.#judgeAll();
    });
  }

  /** Opens the ports; resolves when each was tried once. */
  start(): Promise<void> {
    this.#working = this.#keepUp();
    return this.#working;
  }

  /** Closes the ports. Clients have a moment left, for the answer to what ended the membership. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    this.#cancel();
    await this.#working;
    for (const listener of this.#listeners.values()) void listener.close();
    this.#options.clock.schedule(LAST_ANSWERS_MS, () => {
      for (const sockets of this.#open.values()) for (const socket of sockets) socket.destroy();
    });
  }

  /** Does what is due, and comes back. Never rejects. */
  async #keepUp(): Promise<void> {
    this.#judgeAll();
    try {
      await this.#renew();
      const tried = await Promise.allSettled(this.#options.hosts.map((host) => this.#listen(host)));
      for (const one of tried) if (one.status === 'rejected') throw one.reason;
    } catch (error) {
      this.#logger.error({ err: errorMessage(error) }, 'remote access is not up; it is tried again');
    }
    if (this.#closed) return;
    const complete = this.#listeners.size === this.#options.hosts.length;
    this.#cancel = this.#options.clock.schedule(complete ? SWEEP_MS : RETRY_MS, () => {
      this.#working = this.#keepUp();
    });
  }

  /** A server certificate that names the machine's present addresses, and does not end soon. */
  async #renew(): Promise<void> {
    const { clients, clock } = this.#options;
    const { names, addresses } = this.#ownNames();
    const wanted = [...names, ...addresses].join();
    if (this.#identity?.names === wanted && clock.now() < this.#identity.made.renewAt) return;
    const made = await clients.serverIdentity(names, addresses);
    this.#identity = { made, names: wanted };
    for (const listener of this.#listeners.values()) listener.setIdentity(made);
  }

  #ownNames(): { readonly names: readonly string[]; readonly addresses: readonly string[] } {
    const { hosts, names } = this.#options;
    const everywhere = hosts.some(({ host }) => isUnspecified(host));
    const own = everywhere ? machineInterfaces().map(({ address }) => address) : [];
    const all = [...new Set([...hosts.map(({ host }) => host), ...names, ...own])].sort();
    return {
      names: ['localhost', ...all.filter((name) => isIP(name) === 0)],
      addresses: all.filter((name) => isIP(name) !== 0 && !isUnspecified(name)),
    };
  }

  async #listen(address: HostPort): Promise<void> {
    const key = formatHostPort(address);
    const identity = this.#identity?.made;
    if (this.#closed || identity === undefined || this.#listeners.has(key)) return;
    const listener = await startRemoteListener({
      address,
      identity,
      admit: (socket) => this.#admit(socket),
      limits: this.#options.limits ?? REMOTE_LIMITS,
      logger: this.#logger,
    });
    this.#listeners.set(key, listener);
    this.#logger.info({ host: `tcp://${key}` }, 'serving the API to clients with a certificate');
  }

  #admit(socket: TLSSocket): BaleError | undefined {
    const certificate = presented(socket);
    if (certificate instanceof BaleError) return certificate;
    const id = certificateId(certificate);
    const verdict = this.#options.clients.judge(id);
    if (verdict.kind === 'refused') return verdict.error;
    const sockets = this.#open.get(id) ?? new Set();
    this.#open.set(id, sockets.add(socket));
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0 && this.#open.get(id) === sockets) this.#open.delete(id);
    });
    this.#options.serve(socket, { kind: 'certificate', name: verdict.name, role: verdict.role });
    return undefined;
  }

  /** Cuts the connections of certificates that are no longer good, with all that runs over them. */
  #judgeAll(): void {
    for (const [id, sockets] of this.#open) {
      const verdict = this.#options.clients.judge(id);
      if (verdict.kind === 'client') continue;
      const { code, message } = verdict.error;
      this.#logger.info({ code, connections: sockets.size, err: message }, 'connections of a client are cut');
      for (const socket of sockets) socket.destroy();
    }
  }
}

/** The certificate that a client has shown and proved, when the client CA signed it and its dates are right. */
function presented(socket: TLSSocket): X509Certificate | BaleError {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    return refusal('BALE_CLIENT_CERTIFICATE_REQUIRED', 'this port takes requests with a client certificate only');
  }
  if (socket.authorized) return certificate;
  // Node keeps OpenSSL's code in what it declares to be an Error.
  const code = String(socket.authorizationError);
  return code.includes('CERT_HAS_EXPIRED')
    ? refusal('BALE_CLIENT_CERTIFICATE_EXPIRED', `the client certificate expired on ${certificate.validTo}`)
    : refusal(
        'BALE_CLIENT_CERTIFICATE_INVALID',
        "the client certificate was not made by this cluster's client CA (certificates of nodes are none of clients)",
      );
}

const refusal = (code: string, what: string): BaleError =>
  new BaleError(`${what}; ${CLIENT_REMEDY}`, { kind: 'unauthenticated', code });
