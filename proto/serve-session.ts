import { Metadata, type ServerDuplexStream } from '@grpc/grpc-js';
import { BaleError } from '../core/errors.js';
import type { ManagerSession } from './cluster-peer.js';
import type { AgentMessage__Output } from './generated/bale/v1/AgentMessage.js';
import type { ManagerMessage as WireManagerMessage } from './generated/bale/v1/ManagerMessage.js';
import { toStatus } from './grpc-errors.js';
import { WireSession } from './session-stream.js';
import { readAgentMessage, writeManagerMessage } from './session-wire.js';
import type { AgentMessage, ManagerMessage } from './session.js';

type SessionCall = ServerDuplexStream<AgentMessage__Output, WireManagerMessage>;

/** ms for a peer to take the end of its session before its connection is cut. */
const END_GRACE = 2_000;

/**
 * The manager's end of a session that an agent opened.
 *
 * @param cut closes the connection from a peer (`address:port`)
 */
export function serveSession(call: SessionCall, cut: (peer: string) => void): ManagerSession {
  const peer = call.getPeer();
  const session = new WireSession<ManagerMessage, AgentMessage, WireManagerMessage, AgentMessage__Output>(
    {
      write: (wire) => call.write(wire),
      unsent: () => call.writableLength,
      end: (error) => {
        if (call.cancelled) return;
        // A peer that does not read cannot be told of the end.
        const timer = setTimeout(() => {
          cut(peer);
        }, END_GRACE).unref();
        call.once('cancelled', () => {
          clearTimeout(timer);
        });
        if (error === undefined) call.end();
        else call.emit('error', toStatus(error));
      },
    },
    { write: writeManagerMessage, read: readAgentMessage },
  );
  const lost = (): BaleError =>
    new BaleError('the connection broke', { kind: 'unavailable', code: 'BALE_SESSION_BROKEN' });
  // Tells the agent that its session was taken.
  call.sendMetadata(new Metadata());
  call.on('data', (wire: AgentMessage__Output) => {
    session.receive(wire);
  });
  call.on('end', () => {
    // A reset looks like the end of the peer's messages. Only trying to answer shows whether the
    // stream still stands: when it does not, `cancelled` is told in the next tick.
    call.sendMetadata(new Metadata());
    setImmediate(() => {
      session.finish(call.cancelled ? lost() : undefined);
      call.end();
    });
  });
  call.on('cancelled', () => {
    session.finish(lost());
  });
  call.on('error', () => {
    session.finish(lost());
  });
  return session;
}
