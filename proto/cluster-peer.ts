import type { Duplex } from 'node:stream';
import type { AgentMessage, ManagerMessage } from './session.js';

/** The verified peer of a call. */
export interface Peer {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly role: 'worker' | 'manager';
  /** The address the call came from, without port. */
  readonly address: string;
}

/** One end of an open session stream. */
export interface SessionStream<Out, In> {
  /** Queues a message; after the stream ended it is dropped silently, since `onEnd` tells. */
  send(message: Out): void;
  onMessage(listener: (message: In) => void): void;
  /** Called once, however the stream ends; `error` is absent when the peer ended it in order. */
  onEnd(listener: (error?: Error) => void): void;
  /** Ends the stream; with an error the peer gets its kind, code and message. */
  end(error?: Error): void;
}

export type ManagerSession = SessionStream<ManagerMessage, AgentMessage>;
export type AgentSession = SessionStream<AgentMessage, ManagerMessage>;

/** What a manager answers to peers. Thrown BaleErrors reach the caller with kind, code and message. */
export interface ClusterHandlers {
  rootCertificate(): string;
  issueNodeCertificate(request: {
    readonly csr: string;
    readonly token: string;
    readonly availability: string;
  }): Promise<{
    readonly nodeId: string;
    readonly clusterId: string;
    readonly role: 'worker' | 'manager';
    readonly certificate: string;
  }>;
  renewNodeCertificate(peer: Peer, csr: string): Promise<{ readonly certificate: string }>;
  session(peer: Peer, stream: ManagerSession): void;
  leave(peer: Peer): Promise<void>;
  /** Takes a stream that this peer opened. Throws when nobody waits for it. */
  stream(peer: Peer, streamId: string, stream: Duplex): void;
  /** Throws when this peer is no longer a member; asked before every handler that needs a certificate. */
  authorize(peer: Peer): void;
}
