import { constants } from 'node:crypto';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { formatHostPort, type HostPort } from '../core/address.js';
import { BaleError, errorCode, errorMessage } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { peerKey, StrangerConnections } from '../proto/stranger-connections.js';
import type { ServerIdentity } from '../manager/ca/client-certificate.js';
import { errorAnswer } from './error-answer.js';

/** Limits on those who have not shown a good certificate. */
export interface RemoteLimits {
  /** ms from the connection to the end of its handshake. */
  readonly handshake: number;
  /** ms for the whole of a connection that is refused. */
  readonly refusal: number;
  /** Connections at a time. */
  readonly connections: number;
}

export const REMOTE_LIMITS: RemoteLimits = { handshake: 10_000, refusal: 5_000, connections: 128 };

export interface RemoteListenerOptions {
  readonly address: HostPort;
  readonly identity: ServerIdentity;
  /** Takes a connection in, and says so by undefined; or says why it is refused. */
  readonly admit: (socket: TLSSocket) => BaleError | undefined;
  readonly limits: RemoteLimits;
  readonly logger: Logger;
}

export interface RemoteListener {
  setIdentity(identity: ServerIdentity): void;
  /** Closes the port, and every connection that was not taken in; resolves when the others have ended too. */
  close(): Promise<void>;
}

/**
 * The TLS side of the API for other machines: TLS 1.2 and 1.3, since clients of the Engine speak both.
 * A connection without a good certificate never reaches the HTTP server: it gets one fixed answer that
 * says why, and its end. When too many are on their way in, the oldest goes.
 */
export async function startRemoteListener(options: RemoteListenerOptions): Promise<RemoteListener> {
  const { limits, logger } = options;
  const server = createServer({
    ...keys(options.identity),
    requestCert: true,
    // Judged here: whoever is refused shall be told why.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    // Each connection shows its certificate anew.
    secureOptions: constants.SSL_OP_NO_TICKET,
    ALPNProtocols: ['http/1.1'],
    // An exec whose input ends still has output to come.
    allowHalfOpen: true,
    handshakeTimeout: limits.handshake,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  });
  const strangers = new StrangerConnections(server, {
    connections: limits.connections,
    lifetime: limits.handshake + limits.refusal,
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', (error: Error) =>
      logger.debug({ peer: peerKey(socket), err: error.message }, 'a client broke off'),
    );
    const refusal = options.admit(socket);
    if (refusal === undefined) {
      strangers.settle(peerKey(socket));
      return;
    }
    logger.warn({ peer: peerKey(socket), code: refusal.code, err: refusal.message }, 'a client was refused');
    refuse(socket, refusal, limits);
  });
  server.on('tlsClientError', (error, socket) => {
    logger.debug({ peer: peerKey(socket), err: error.message }, 'a connection was refused: no TLS');
    socket.destroy();
  });
  await listen(server, options.address);
  return {
    setIdentity: (identity) => {
      server.setSecureContext(keys(identity));
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      strangers.destroy();
      await closed;
    },
  };
}

const keys = ({ privateKey, certificate, root }: ServerIdentity) => ({
  key: privateKey,
  cert: certificate,
  ca: root,
  minVersion: 'TLSv1.2' as const,
});

/** Answers whatever is asked, without reading it: after its first bytes, for an answer that nobody has asked for is an error of its own. */
function refuse(socket: TLSSocket, error: BaleError, limits: RemoteLimits): void {
  const timer = setTimeout(() => socket.destroy(), limits.refusal).unref();
  socket.once('close', () => {
    clearTimeout(timer);
  });
  socket.once('end', () => socket.end());
  socket.once('data', (first: Buffer) => {
    const { status, contentType, body } = errorAnswer(error);
    const head = [
      `HTTP/1.1 ${status} Unauthorized`,
      `Content-Type: ${contentType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    const isHead = first.subarray(0, 5).toString('latin1') === 'HEAD ';
    socket.end(`${head.join('\r\n')}\r\n\r\n${isHead ? '' : body}`);
    // What the client still sends is dropped, so that it comes to read the answer.
    socket.resume();
  });
}

/** Throws BALE_LISTEN_FAILED naming the address. */
async function listen(server: Server, { host, port }: HostPort): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    const cause = errorCode(error) === 'EADDRINUSE' ? 'address already in use' : errorMessage(error);
    throw new BaleError(`--host: cannot listen on tcp://${formatHostPort({ host, port })}: ${cause}`, {
      kind: 'failed-precondition',
      code: 'BALE_LISTEN_FAILED',
      cause: error,
    });
  }
}
