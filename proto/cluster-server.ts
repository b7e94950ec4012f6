import { Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js';
import { BaleError, errorMessage } from '../core/errors.js';
import type { IdentitySource } from '../core/identity.js';
import type { Logger } from '../core/logger.js';
import { callGuard, peerOf } from './call-guard.js';
import {
  startClusterListener,
  STRANGER_LIMITS,
  type ClusterListener,
  type StrangerLimits,
} from './cluster-listener.js';
import type { ClusterHandlers, ManagerSession } from './cluster-peer.js';
import type { CertificateAuthorityHandlers } from './generated/bale/v1/CertificateAuthority.js';
import type { DispatcherHandlers } from './generated/bale/v1/Dispatcher.js';
import type { StreamsHandlers } from './generated/bale/v1/Streams.js';
import { toStatus } from './grpc-errors.js';
import { clusterServices } from './grpc-services.js';
import { checkProtocolVersion, PROTOCOL_VERSION } from './protocol-version.js';
import { serveSession } from './serve-session.js';
import { serveStream, streamIdOf } from './serve-stream.js';

export interface ClusterServerOptions {
  /** host:port; port 0 takes any free one. */
  readonly listenAddr: string;
  readonly identity: IdentitySource;
  readonly handlers: ClusterHandlers;
  readonly logger: Logger;
  readonly limits?: StrangerLimits;
}

export interface ClusterServer {
  readonly boundAddr: string;
  /** Ends every session, then the port. */
  close(): Promise<void>;
}

const KIB = 1024;

/** Members speak at length; a stranger has a request and a token to send. */
const MEMBER_OPTIONS = {
  'grpc.max_receive_message_length': 4 * KIB * KIB,
  'grpc.max_send_message_length': -1,
  'grpc.max_concurrent_streams': 128,
};
const STRANGER_OPTIONS = {
  'grpc.max_receive_message_length': 64 * KIB,
  'grpc.max_concurrent_streams': 4,
};
const SHARED_OPTIONS = {
  'grpc.enable_channelz': 0,
  // A connection whose other end vanished is noticed although nothing is sent to it.
  'grpc.keepalive_time_ms': 5_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // A connection without a call serves nobody: each client opens one for what it wants and closes it.
  'grpc.max_connection_idle_ms': 60_000,
};

/**
 * Serves the cluster port: certificates for those who join, sessions for the members. TLS ends in
 * the listener; one gRPC server takes the members' connections and another, with narrow limits, the
 * strangers'. Both ask the same guard before any handler.
 */
export async function startClusterServer(options: ClusterServerOptions): Promise<ClusterServer> {
  const { handlers, identity, logger } = options;
  const sessions = new Set<ManagerSession>();
  const connections: { listener?: ClusterListener } = {};
  const cut = (peer: string): void => {
    connections.listener?.connection(peer)?.destroy();
  };
  const guard = callGuard({
    clusterId: () => identity.current.clusterId,
    authorize: (peer) => {
      handlers.authorize(peer);
    },
    connection: (peer) => connections.listener?.connection(peer),
    refused: ({ method, peer, isMember, error }) => {
      logger[isMember ? 'warn' : 'debug']({ method, peer, err: errorMessage(error) }, 'a call was refused');
    },
  });

  const makeServer = (limits: Record<string, number>): Server => {
    const server = new Server({ ...SHARED_OPTIONS, ...limits, interceptors: [guard] });
    server.addService(clusterServices().CertificateAuthority.service, authorityCalls(handlers, logger));
    server.addService(clusterServices().Dispatcher.service, dispatcherCalls(handlers, logger, sessions, cut));
    server.addService(clusterServices().Streams.service, streamCalls(handlers));
    return server;
  };
  const members = makeServer(MEMBER_OPTIONS);
  const strangers = makeServer(STRANGER_OPTIONS);
  // "Insecure" since these connections come in with their TLS already done.
  const memberDoor = members.createConnectionInjector(ServerCredentials.createInsecure());
  const strangerDoor = strangers.createConnectionInjector(ServerCredentials.createInsecure());

  const listener = await startClusterListener({
    listenAddr: options.listenAddr,
    identity,
    logger,
    limits: options.limits ?? STRANGER_LIMITS,
    onMember: (socket) => {
      memberDoor.injectConnection(socket);
    },
    onStranger: (socket) => {
      strangerDoor.injectConnection(socket);
    },
  });
  connections.listener = listener;
  return {
    boundAddr: listener.boundAddr,
    close: async () => {
      const stopped = new BaleError('the manager stops', { kind: 'unavailable', code: 'BALE_MANAGER_STOPS' });
      for (const session of sessions) session.end(stopped);
      await Promise.all([shutDown(members), shutDown(strangers)]);
      await listener.close();
    },
  };
}

/** Lets calls under way end for a short while, then cuts them. */
function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, 500);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function authorityCalls(handlers: ClusterHandlers, logger: Logger): CertificateAuthorityHandlers {
  return {
    GetRootCertificate: (_call, respond) => {
      const answer = (): Promise<{ rootCertificate: string; protocolVersion: number }> =>
        Promise.resolve({ rootCertificate: handlers.rootCertificate(), protocolVersion: PROTOCOL_VERSION });
      void reply(answer, respond, logger);
    },
    IssueNodeCertificate: ({ request }, respond) => {
      const { protocolVersion, csr, token, availability } = request;
      const answer = (): ReturnType<ClusterHandlers['issueNodeCertificate']> => {
        checkProtocolVersion(protocolVersion, 'the node that wants to join');
        return handlers.issueNodeCertificate({ csr, token, availability });
      };
      void reply(answer, respond, logger);
    },
    RenewNodeCertificate: (call, respond) => {
      void reply(() => handlers.renewNodeCertificate(peerOf(call), call.request.csr), respond, logger);
    },
  };
}

function dispatcherCalls(
  handlers: ClusterHandlers,
  logger: Logger,
  sessions: Set<ManagerSession>,
  cut: (peer: string) => void,
): DispatcherHandlers {
  return {
    Session: (call) => {
      const session = serveSession(call, cut);
      sessions.add(session);
      session.onEnd(() => sessions.delete(session));
      try {
        handlers.session(peerOf(call), session);
      } catch (error) {
        session.end(error instanceof Error ? error : new Error(String(error)));
      }
      session.onEnd((error) => {
        if (error !== undefined && !(error instanceof BaleError)) {
          logger.error({ peer: call.getPeer(), err: error.stack ?? error.message }, 'a session failed');
        }
      });
    },
    Leave: (call, respond) => {
      const answer = async (): Promise<Record<string, never>> => {
        await handlers.leave(peerOf(call));
        return {};
      };
      void reply(answer, respond, logger);
    },
  };
}

function streamCalls(handlers: ClusterHandlers): StreamsHandlers {
  return {
    Connect: (call) => {
      const stream = serveStream(call);
      // Whoever takes it listens as well; until then a break is no news.
      stream.on('error', () => undefined);
      try {
        handlers.stream(peerOf(call), streamIdOf(call), stream);
      } catch (error) {
        stream.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    },
  };
}

/** Never rejects: what `answer` throws goes to the caller. */
async function reply<T>(answer: () => Promise<T>, respond: sendUnaryData<T>, logger: Logger): Promise<void> {
  try {
    respond(null, await answer());
  } catch (error) {
    if (!(error instanceof BaleError)) logger.error({ err: errorMessage(error) }, 'a call failed');
    respond(toStatus(error));
  }
}
