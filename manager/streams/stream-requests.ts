import type { Duplex } from 'node:stream';
import { abortError } from '../../core/abort.js';
import type { Clock } from '../../core/clock.js';
import { newId } from '../../core/id.js';
import type { Peer } from '../../proto/cluster-peer.js';
import type { NodeStreams } from './node-streams.js';
import { noSession, sessionLost, streamsUnsupported, streamTimeout, streamUnknown } from './stream-errors.js';

/** An agent must have opened its stream within this time, ms. */
const OPEN_TIMEOUT = 5_000;

/** The sessions over which streams are asked for. */
export interface StreamSessions {
  requestStream(nodeId: string, streamId: string): 'asked' | 'no-session' | 'unsupported';
  /** `cause` says why the session of a node ended. The returned function unsubscribes. */
  onSessionEnd(listener: (nodeId: string, cause: string) => void): () => void;
}

export interface StreamRequestsOptions {
  readonly sessions: StreamSessions;
  /** How users know a node: its hostname. */
  readonly nameOf: (nodeId: string) => string;
  readonly clock: Clock;
}

interface Waiting {
  readonly nodeId: string;
  readonly taken: (stream: Duplex) => void;
  readonly failed: (error: Error) => void;
}

/**
 * Streams from this manager to the Engines of its nodes: asked for in a node's session, opened by its agent.
 *
 * Invariants: a stream is handed out only when the node it was asked of opened it; none outlives the
 * session that it was asked for in.
 */
export class StreamRequests implements NodeStreams {
  readonly #options: StreamRequestsOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #open = new Map<string, Map<string, Duplex>>();
  readonly #unsubscribe: () => void;

  constructor(options: StreamRequestsOptions) {
    this.#options = options;
    this.#unsubscribe = options.sessions.onSessionEnd((nodeId, cause) => {
      this.#sessionEnded(nodeId, cause);
    });
  }

  async open(nodeId: string, signal: AbortSignal): Promise<Duplex> {
    signal.throwIfAborted();
    const { sessions, nameOf, clock } = this.#options;
    const streamId = newId();
    switch (sessions.requestStream(nodeId, streamId)) {
      case 'no-session':
        throw noSession(nameOf(nodeId));
      case 'unsupported':
        throw streamsUnsupported(nameOf(nodeId));
      case 'asked':
    }
    let release = (): void => undefined;
    try {
      return await new Promise<Duplex>((taken, failed) => {
        this.#waiting.set(streamId, { nodeId, taken, failed });
        const onAbort = (): void => {
          failed(abortError());
        };
        const cancel = clock.schedule(OPEN_TIMEOUT, () => {
          failed(streamTimeout(nameOf(nodeId), OPEN_TIMEOUT));
        });
        signal.addEventListener('abort', onAbort, { once: true });
        release = () => {
          cancel();
          signal.removeEventListener('abort', onAbort);
        };
      });
    } finally {
      release();
      this.#waiting.delete(streamId);
    }
  }

  /** An agent opened a stream. Throws BALE_STREAM_UNKNOWN unless it was asked of this very node and is still waited for. */
  accept({ nodeId }: Peer, streamId: string, stream: Duplex): void {
    const waiting = this.#waiting.get(streamId);
    if (waiting?.nodeId !== nodeId) throw streamUnknown();
    this.#waiting.delete(streamId);
    const streams = this.#open.get(nodeId) ?? new Map<string, Duplex>();
    this.#open.set(nodeId, streams.set(streamId, stream));
    stream.once('close', () => {
      streams.delete(streamId);
      if (streams.size === 0 && this.#open.get(nodeId) === streams) this.#open.delete(nodeId);
    });
    waiting.taken(stream);
  }

  close(): Promise<void> {
    this.#unsubscribe();
    for (const nodeId of [...this.#open.keys(), ...[...this.#waiting.values()].map((waiting) => waiting.nodeId)]) {
      this.#sessionEnded(nodeId, 'the manager stops');
    }
    return Promise.resolve();
  }

  #sessionEnded(nodeId: string, cause: string): void {
    const error = sessionLost(this.#options.nameOf(nodeId), cause);
    for (const waiting of this.#waiting.values()) if (waiting.nodeId === nodeId) waiting.failed(error);
    for (const stream of this.#open.get(nodeId)?.values() ?? []) stream.destroy(error);
  }
}
