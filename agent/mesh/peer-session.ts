import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { formatHostPort, type HostPort } from '../../core/address.js';
import { DialError } from './dial-error.js';
import { waitAtMost } from './patience.js';
import { subjectOf, type TunnelCredentials } from './tunnel-credentials.js';
import { MAX_TUNNELS_PER_SESSION, SESSION_MEMORY, SESSION_WINDOW, SETTINGS } from './tunnel-protocol.js';

/** ms between pings. */
const PING_PERIOD = 500;
/** A peer that says nothing for so many is taken for gone. */
const MOST_SILENT_PERIODS = 2;

export interface PeerTarget {
  readonly nodeId: string;
  readonly address: HostPort;
  /** `address` as the table spells it. */
  readonly meshAddr: string;
}

/**
 * Opens a session to the mesh of another node and checks that it is the one meant: signed by the
 * cluster's root, this node id, this cluster. Rejects with a DialError within `timeout` ms.
 */
export function openPeerSession(
  { nodeId, address }: PeerTarget,
  credentials: TunnelCredentials,
  timeout: number,
): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const { host, port } = address;
    const socket = connectTls({
      host,
      port,
      servername: nodeId,
      secureContext: credentials.context,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
    });
    const fail = (failure: 'unreachable' | 'timeout', message: string): void => {
      stopWaiting();
      socket.destroy();
      reject(new DialError(failure, `node ${nodeId} at ${formatHostPort(address)}: ${message}`));
    };
    const stopWaiting = waitAtMost(timeout, () => {
      fail('timeout', `no answer within ${timeout} ms`);
    });
    const onError = (error: Error): void => {
      fail('unreachable', error.message);
    };
    socket.once('error', onError);
    socket.once('secureConnect', () => {
      const wrong = reasonToRefuse(socket, nodeId, credentials.clusterId);
      if (wrong !== undefined) {
        fail('unreachable', wrong);
        return;
      }
      socket.setNoDelay(true);
      const session = connectHttp2(`https://${nodeId}`, {
        createConnection: () => socket,
        settings: SETTINGS,
        peerMaxConcurrentStreams: MAX_TUNNELS_PER_SESSION,
        maxSessionMemory: SESSION_MEMORY,
      });
      session.once('error', onError);
      session.once('close', () => {
        fail('unreachable', 'it closed the connection');
      });
      // Its settings are the first sign that the peer lets this node in.
      session.once('remoteSettings', () => {
        stopWaiting();
        socket.off('error', onError);
        session.off('error', onError);
        session.on('error', () => undefined);
        session.setLocalWindowSize(SESSION_WINDOW);
        watchLiveness(session, socket);
        resolve(session);
      });
    });
  });
}

function reasonToRefuse(socket: TLSSocket, nodeId: string, clusterId: string): string | undefined {
  if (socket.alpnProtocol !== 'h2') return 'it does not speak HTTP/2';
  const subject = subjectOf(socket.getPeerX509Certificate());
  if (subject?.nodeId !== nodeId) return `its certificate is that of node ${subject?.nodeId ?? '(none)'}`;
  if (subject.clusterId !== clusterId) return `it belongs to cluster ${subject.clusterId}`;
  return undefined;
}

/**
 * Ends the session when its peer is silent: no answer to a ping and no byte of anything else. The silence is counted
 * in periods in which this process ran: one that stalled finds the answer when it goes on, and is given time to.
 */
function watchLiveness(session: ClientHttp2Session, socket: TLSSocket): void {
  /** Undefined while no answer is owed. */
  let silentPeriods: number | undefined;
  let bytesThen = 0;
  const timer = setInterval(() => {
    if (session.destroyed) return;
    if (silentPeriods === undefined || socket.bytesRead !== bytesThen) {
      silentPeriods = 0;
      bytesThen = socket.bytesRead;
      session.ping(() => {
        silentPeriods = undefined;
      });
      return;
    }
    silentPeriods += 1;
    if (silentPeriods < MOST_SILENT_PERIODS) return;
    // When this process stalled in the last one, the answer is waiting to be read: let it be read first.
    setImmediate(() => {
      if (silentPeriods !== undefined && socket.bytesRead === bytesThen) session.destroy();
    });
  }, PING_PERIOD);
  timer.unref();
  session.once('close', () => {
    clearInterval(timer);
  });
}
