import { status as Status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { BaleError } from '../core/errors.js';
import type { IdentitySource } from '../core/identity.js';
import { MANAGER_SERVER_NAME } from '../core/x509.js';
import { channelOptions, memberCredentials, targetOf } from './cluster-channel.js';
import type { AgentSession } from './cluster-peer.js';
import type { AgentMessage as WireAgentMessage } from './generated/bale/v1/AgentMessage.js';
import type { ManagerMessage__Output } from './generated/bale/v1/ManagerMessage.js';
import { fromServiceError } from './grpc-errors.js';
import { clusterServices } from './grpc-services.js';
import { WireSession } from './session-stream.js';
import { readManagerMessage, writeAgentMessage } from './session-wire.js';
import type { AgentMessage, ManagerMessage } from './session.js';

/** ms until the connection must stand and the manager have taken the session. */
const CONNECT_DEADLINE = 5_000;
/** ms for the manager to take this side's end. */
const END_GRACE = 2_000;
/** Bytes: the whole set of a node's tasks is one message. */
const LARGEST_MESSAGE = 256 * 1024 * 1024;

/**
 * Opens a session with the manager at `addr`, on a connection of its own. Messages sent before the
 * connection stands are kept. Every failure, the first connect included, comes by `onEnd`; the
 * connection is closed by then or shortly after.
 */
export function openSession(addr: string, identity: IdentitySource): AgentSession {
  const { Dispatcher } = clusterServices();
  const options = channelOptions({ receive: LARGEST_MESSAGE }, MANAGER_SERVER_NAME);
  const client = new Dispatcher(targetOf(addr), memberCredentials(identity.current), options);
  const call = client.session();
  const session = new WireSession<AgentMessage, ManagerMessage, WireAgentMessage, ManagerMessage__Output>(
    {
      write: (wire) => call.write(wire),
      unsent: () => call.writableLength,
      end: (error) => {
        if (error !== undefined) {
          call.cancel();
          return;
        }
        call.end();
        const timer = setTimeout(() => {
          call.cancel();
        }, END_GRACE).unref();
        call.once('status', () => {
          clearTimeout(timer);
        });
      },
    },
    { write: writeAgentMessage, read: readManagerMessage },
  );
  // The manager sends its metadata as soon as it takes the session. (A client's waitForReady would not
  // do: it wakes a channel that was closed meanwhile, which then reconnects for ever.)
  const deadline = setTimeout(() => {
    session.end(
      new BaleError(`cannot reach the manager at ${addr}: no session within ${CONNECT_DEADLINE / 1000} s`, {
        kind: 'unavailable',
        code: 'BALE_MANAGER_UNREACHABLE',
      }),
    );
  }, CONNECT_DEADLINE).unref();
  call.on('metadata', () => {
    clearTimeout(deadline);
  });
  call.on('data', (wire: ManagerMessage__Output) => {
    session.receive(wire);
  });
  call.on('error', (error: ServiceError) => {
    session.finish(fromServiceError(error, addr));
  });
  call.on('status', (status: StatusObject) => {
    // Anything but OK came as an error before; what the manager sent last is read first.
    if (status.code === Status.OK) {
      if (call.readableEnded) session.finish(undefined);
      else
        call.once('end', () => {
          session.finish(undefined);
        });
    }
    clearTimeout(deadline);
    client.close();
  });
  return session;
}
