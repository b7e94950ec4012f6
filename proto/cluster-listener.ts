import { createServer, type TLSSocket } from 'node:tls';
import { formatHostPort, parseHostPort } from '../core/address.js';
import { BaleError, errorCode, errorMessage } from '../core/errors.js';
import type { IdentitySource, NodeIdentity } from '../core/identity.js';
import type { Logger } from '../core/logger.js';
import { peerKey, StrangerConnections, type StrangerBounds } from './stranger-connections.js';

const DEFAULT_PORT = 2377;

/** Limits on those who have not shown a certificate of this cluster. */
export interface StrangerLimits extends StrangerBounds {
  /** ms for the TLS handshake. */
  readonly handshake: number;
}

/** A join takes well under a second. */
export const STRANGER_LIMITS: StrangerLimits = { handshake: 10_000, lifetime: 20_000, connections: 512 };

export interface ClusterListenerOptions {
  readonly listenAddr: string;
  readonly identity: IdentitySource;
  readonly logger: Logger;
  readonly limits: StrangerLimits;
  /** Takes a connection whose certificate the cluster's root signed. */
  readonly onMember: (socket: TLSSocket) => void;
  /** Takes any other, within the limits. */
  readonly onStranger: (socket: TLSSocket) => void;
}

export interface ClusterListener {
  readonly boundAddr: string;
  /** The open connection from `peer` (`address:port`). */
  connection(peer: string): TLSSocket | undefined;
  close(): Promise<void>;
}

/**
 * The TLS side of the cluster port: TLS 1.3 only, a client certificate asked for but not demanded,
 * members and strangers told apart.
 */
export async function startClusterListener(options: ClusterListenerOptions): Promise<ClusterListener> {
  const { identity, limits, logger } = options;
  const server = createServer({
    ...keys(identity.current),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    handshakeTimeout: limits.handshake,
    noDelay: true,
  });
  const open = new Map<string, TLSSocket>();
  const strangers = new StrangerConnections(server, limits);
  server.on('secureConnection', (socket) => {
    const key = peerKey(socket);
    open.set(key, socket);
    socket.once('close', () => {
      if (open.get(key) === socket) open.delete(key);
    });
    socket.on('error', (error: Error) => logger.debug({ peer: key, err: error.message }, 'a connection broke'));
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
    } else if (socket.authorized) {
      strangers.settle(key);
      options.onMember(socket);
    } else {
      options.onStranger(socket);
    }
  });
  server.on('tlsClientError', (error, socket) => {
    logger.debug({ peer: peerKey(socket), err: error.message }, 'a connection was refused: no TLS');
    socket.destroy();
  });

  const boundAddr = await listen(server, options.listenAddr);
  const unsubscribe = identity.subscribe((renewed) => {
    server.setSecureContext(keys(renewed));
  });
  return {
    boundAddr,
    connection: (peer) => open.get(peer),
    close: async () => {
      unsubscribe();
      const closed = new Promise((resolve) => server.close(resolve));
      strangers.destroy();
      for (const socket of open.values()) socket.destroy();
      await closed;
    },
  };
}

const keys = (identity: NodeIdentity) => ({
  key: identity.privateKey,
  cert: identity.certificate,
  ca: identity.trustRoot,
  minVersion: 'TLSv1.3' as const,
});

async function listen(server: ReturnType<typeof createServer>, listenAddr: string): Promise<string> {
  const anyPort = listenAddr.endsWith(':0');
  const { host, port } = parseHostPort(
    anyPort ? listenAddr.slice(0, -2) : listenAddr,
    { host: '0.0.0.0', port: DEFAULT_PORT },
    'listen address',
  );
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port: anyPort ? 0 : port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    throw new BaleError(`cannot listen on ${listenAddr} for the other nodes: ${explainListen(error)}`, {
      kind: 'failed-precondition',
      code: 'BALE_LISTEN_FAILED',
      cause: error,
    });
  }
  const bound = server.address();
  return bound === null || typeof bound === 'string'
    ? listenAddr
    : formatHostPort({ host: bound.address, port: bound.port });
}

function explainListen(error: unknown): string {
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return 'address already in use; stop what listens there, or choose another with --listen-addr';
    case 'EADDRNOTAVAIL':
      return 'no interface of this machine has that address; choose another with --listen-addr';
    default:
      return errorMessage(error);
  }
}
