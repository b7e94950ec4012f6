import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { IdentitySource } from '../../core/identity.js';
import type { Logger } from '../../core/logger.js';
import type { NodeSubject } from '../../core/x509.js';
import { VOUCH_PATH, type Vouch } from '../../proto/vouch.js';
import { ignoreError, resetStream } from './byte-stream.js';
import { parseEndpointKey } from './endpoint-key.js';
import type { LocalLinks } from './local-links.js';
import type { Locals } from './locals.js';
import { splice } from './splice.js';
import { dialTcp } from './tcp-dial.js';
import { contextOptions, subjectOf } from './tunnel-credentials.js';
import {
  abortedStream,
  ERROR_HEADER,
  PROTOCOL_HEADER,
  PROTOCOL_HEADER_VALUE,
  SESSION_MEMORY,
  SESSION_WINDOW,
  SETTINGS,
} from './tunnel-protocol.js';
import { serveDatagrams } from './udp-tunnel-end.js';

const HANDSHAKE_TIMEOUT = 5_000;
/** Peers ping twice a second: a session that is silent for so long has lost its peer. */
const SILENCE = 15_000;
/** One session per node is the rule; the rest is room for renewals, managers' questions and strangers in handshake. */
const MOST_CONNECTIONS = 1_024;
const DIAL_TIMEOUT = 1_500;

export interface TunnelServerOptions {
  readonly identity: IdentitySource;
  readonly locals: Locals;
  readonly localLinks: LocalLinks;
  /** Whether the node is in the present table. */
  readonly isMember: (nodeId: string) => boolean;
  readonly logger: Logger;
  /** ms without a sign of life after which a session is cut; 15 s unless given. */
  readonly silence?: number;
}

interface PeerEnd {
  readonly subject: NodeSubject;
  /** Tunnels that are open, by stream id. */
  readonly tunnels: Map<number, ServerHttp2Stream>;
}

/**
 * The end of tunnels: takes sessions of the cluster's nodes and connects each CONNECT to a container
 * of this node. Whoever has no certificate of the cluster, or is not in the table, gets no further
 * than the handshake; a manager may in any case ask what lives here.
 */
export class TunnelServer {
  readonly server: Http2SecureServer;
  readonly #options: TunnelServerOptions;
  readonly #sessions = new Map<ServerHttp2Session, PeerEnd>();
  readonly #unsubscribe: () => void;
  #closing = false;

  constructor(options: TunnelServerOptions) {
    this.#options = options;
    this.server = createSecureServer({
      ...contextOptions(options.identity.current),
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: HANDSHAKE_TIMEOUT,
      settings: SETTINGS,
      maxSessionMemory: SESSION_MEMORY,
    });
    this.server.maxConnections = MOST_CONNECTIONS;
    this.#unsubscribe = options.identity.subscribe((identity) => {
      this.server.setSecureContext(contextOptions(identity));
    });
    this.server.on('session', (session) => {
      this.#onSession(session);
    });
    this.server.on('stream', (stream, headers) => {
      this.#onStream(stream, headers);
    });
    this.server.on('unknownProtocol', (socket: TLSSocket) => socket.destroy());
    this.server.on('sessionError', ignoreError);
    this.server.on('tlsClientError', (error: Error) => {
      options.logger.debug({ err: error.message }, 'a connection to the tunnel port was refused');
    });
  }

  /** Cuts sessions of nodes that are no longer members. */
  membersChanged(): void {
    for (const [session, { subject }] of this.#sessions) if (!this.#mayStay(subject)) session.destroy();
  }

  /** Lets no new tunnel in; those that are open end on their own. */
  close(): void {
    this.#closing = true;
    this.#unsubscribe();
    for (const session of this.#sessions.keys()) session.close();
  }

  destroy(): void {
    this.close();
    for (const session of this.#sessions.keys()) session.destroy();
  }

  /** Tunnels that are open. */
  get open(): number {
    let open = 0;
    for (const { tunnels } of this.#sessions.values()) open += tunnels.size;
    return open;
  }

  #onSession(session: ServerHttp2Session): void {
    const socket = session.socket as TLSSocket; // This server has no other.
    const subject = subjectOf(socket.getPeerX509Certificate());
    if (subject === undefined || !this.#mayStay(subject)) {
      this.#options.logger.debug({ peer: subject }, 'a peer was refused: it is no member of this cluster');
      session.destroy();
      return;
    }
    this.#sessions.set(session, { subject, tunnels: new Map() });
    session.setLocalWindowSize(SESSION_WINDOW);
    session.setTimeout(this.#options.silence ?? SILENCE, () => {
      session.destroy();
    });
    // Node starts the time anew for a ping only where somebody listens for pings. Without it, connections on
    // which nothing is said for so long would be cut with the session.
    session.on('ping', ignorePing);
    session.once('close', () => {
      this.#sessions.delete(session);
    });
    // Its handshake was under way when the end began.
    if (this.#closing) session.close();
  }

  #mayStay({ clusterId, role, nodeId }: NodeSubject): boolean {
    if (clusterId !== this.#options.identity.current.clusterId) return false;
    return role === 'manager' || this.#options.isMember(nodeId);
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', ignoreError);
    const peer = stream.session === undefined ? undefined : this.#sessions.get(stream.session as ServerHttp2Session);
    if (peer === undefined) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    const { ':method': method, ':path': path = '', ':authority': authority = '' } = headers;
    if (method === 'CONNECT') {
      void this.#connect(stream, peer, authority, headers[PROTOCOL_HEADER]);
      return;
    }
    const aborted = abortedStream(path);
    if (aborted !== undefined) {
      const tunnel = peer.tunnels.get(aborted);
      if (tunnel !== undefined) resetStream(tunnel);
      answer(stream, 204);
    } else if (method !== 'GET' || path !== VOUCH_PATH) answer(stream, 404, `there is no ${method ?? ''} ${path}`);
    else if (peer.subject.role !== 'manager') answer(stream, 403, 'only a manager may ask what lives here');
    else this.#vouch(stream);
  }

  #vouch(stream: ServerHttp2Stream): void {
    const vouch: Vouch = { nodeId: this.#options.identity.current.nodeId, ...this.#options.locals.vouch() };
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end(JSON.stringify(vouch));
  }

  /** Dials the container and carries bytes; refuses with REFUSED_STREAM, so that the peer tries another. */
  async #connect(stream: ServerHttp2Stream, peer: PeerEnd, authority: string, version: unknown): Promise<void> {
    if (version !== PROTOCOL_HEADER_VALUE) {
      const theirs = typeof version === 'string' ? version : 'none';
      answer(stream, 400, `node speaks tunnel protocol ${PROTOCOL_HEADER_VALUE}, the peer speaks ${theirs}`);
      return;
    }
    const endpoint = parseEndpointKey(authority);
    const local = endpoint === undefined ? undefined : this.#options.locals.get(endpoint.taskId);
    const id = stream.id;
    if (endpoint === undefined || local === undefined || id === undefined || !this.#isDialler(peer)) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    peer.tunnels.set(id, stream);
    stream.once('close', () => peer.tunnels.delete(id));
    if (endpoint.protocol === 'udp') {
      stream.respond({ ':status': 200 });
      serveDatagrams(stream, (events) => this.#options.localLinks.open(endpoint.taskId, endpoint.targetPort, events));
      return;
    }
    try {
      const socket = await dialTcp(local.address, endpoint.targetPort, DIAL_TIMEOUT);
      if (stream.destroyed || stream.closed) {
        resetStream(socket);
        return;
      }
      stream.respond({ ':status': 200 });
      splice(socket, stream, ignoreError);
    } catch {
      if (!stream.destroyed) stream.close(constants.NGHTTP2_REFUSED_STREAM);
    }
  }

  #isDialler({ subject }: PeerEnd): boolean {
    return this.#options.isMember(subject.nodeId);
  }
}

const ignorePing = (): void => undefined;

function answer(stream: ServerHttp2Stream, status: number, error?: string): void {
  stream.respond({ ':status': status, ...(error === undefined ? {} : { [ERROR_HEADER]: error }) }, { endStream: true });
  stream.resume();
}
