import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { backoffDelay, withJitter, type BackoffPolicy } from '../../core/backoff.js';
import type { Clock } from '../../core/clock.js';
import { errorMessage } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { ignoreError } from './byte-stream.js';
import { DialError } from './dial-error.js';
import { waitAtMost } from './patience.js';
import { openPeerSession, type PeerTarget } from './peer-session.js';
import { abortTunnel } from './tunnel-abort.js';
import type { TunnelCredentials } from './tunnel-credentials.js';
import { ERROR_HEADER, PROTOCOL_HEADER, PROTOCOL_HEADER_VALUE } from './tunnel-protocol.js';
import { joinGatheredWrites } from './tunnel-writes.js';

const CONNECT_TIMEOUT = 2_000;
const RETRY: BackoffPolicy = { initial: 100, max: 2_000 };
/** A session that ends sooner, ms, is a failed attempt: the peer refuses this node, or is just ending. */
const SHORT_LIFE = 1_000;
/** Stream ids are 31 bits; long before they run out the session is replaced. */
const TUNNELS_PER_SESSION = 500_000_000;

export interface PeerOptions {
  readonly credentials: TunnelCredentials;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

type PeerState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting'; readonly session: Promise<ClientHttp2Session> }
  | { readonly kind: 'ready'; readonly session: ClientHttp2Session }
  /** The last attempt failed. Dials fail at once with its error while the next attempt waits or runs. */
  | { readonly kind: 'broken'; readonly error: DialError }
  | { readonly kind: 'closed' };

/**
 * The way to one other node: one session for all tunnels to it, opened ahead of use, re-dialled when
 * it breaks.
 */
export class Peer {
  readonly #target: PeerTarget;
  readonly #options: PeerOptions;
  #state: PeerState = { kind: 'idle' };
  #failures = 0;
  #opened = 0;
  /** How often the peer ended a session in order. */
  #goodbyes = 0;
  #lastWasShort = false;
  #cancelRetry: () => void = () => undefined;

  constructor(target: PeerTarget, options: PeerOptions) {
    this.#target = target;
    this.#options = options;
  }

  get target(): PeerTarget {
    return this.#target;
  }

  /** Resolves when the attempt under way, if any, has succeeded or failed. */
  get attempted(): Promise<void> {
    const ignore = (): void => undefined;
    return this.#state.kind === 'connecting' ? this.#state.session.then(ignore, ignore) : Promise.resolve();
  }

  /** Opens the session ahead of the first tunnel. */
  warm(): void {
    if (this.#state.kind === 'idle') this.#connect();
  }

  /** Opens a tunnel to the endpoint named (`<taskId>:<targetPort>`). Rejects with a DialError within `timeout` ms. */
  async dial(key: string, timeout: number): Promise<ClientHttp2Stream> {
    const deadline = performance.now() + timeout;
    const before = this.#goodbyes;
    try {
      return await this.#dial(key, deadline);
    } catch (error) {
      // The process there was just replaced: what it no longer took is for the next one.
      if (this.#goodbyes === before || performance.now() >= deadline) throw error;
      return this.#dial(key, deadline);
    }
  }

  async #dial(key: string, deadline: number): Promise<ClientHttp2Stream> {
    const timeout = Math.max(1, deadline - performance.now());
    this.warm();
    const state = this.#state;
    switch (state.kind) {
      case 'ready':
        return this.#open(state.session, key, timeout);
      case 'connecting': {
        const session = await within(state.session, timeout, this.#target.nodeId);
        return this.#open(session, key, Math.max(1, deadline - performance.now()));
      }
      case 'broken':
        throw state.error;
      case 'idle':
      case 'closed':
        throw new DialError('unreachable', `node ${this.#target.nodeId} is no longer in the cluster`);
    }
  }

  /** Lets the tunnels that are open end on their own. */
  close(): void {
    this.#cancelRetry();
    const state = this.#state;
    this.#state = { kind: 'closed' };
    if (state.kind === 'ready') state.session.close();
  }

  /** Cuts every tunnel. */
  destroy(): void {
    const state = this.#state;
    this.close();
    if (state.kind === 'ready') state.session.destroy();
  }

  #connect(): void {
    const session = openPeerSession(this.#target, this.#options.credentials, CONNECT_TIMEOUT);
    // Only the first attempt is worth waiting for: after a failure dials go elsewhere meanwhile.
    if (this.#failures === 0) this.#state = { kind: 'connecting', session };
    session.then(
      (opened) => {
        this.#use(opened);
      },
      (error: unknown) => {
        this.#broke(error instanceof DialError ? error : new DialError('unreachable', errorMessage(error)));
      },
    );
  }

  #use(session: ClientHttp2Session): void {
    if (this.#state.kind === 'closed') {
      session.close();
      return;
    }
    if (this.#failures > 0) this.#options.logger.info({ node: this.#target.nodeId }, 'node can be reached again');
    const openedAt = performance.now();
    this.#opened = 0;
    this.#state = { kind: 'ready', session };
    const lost = (isGoodbye: boolean): void => {
      if (this.#state.kind !== 'ready' || this.#state.session !== session) return;
      const isShort = performance.now() - openedAt < SHORT_LIFE;
      // A peer that is just replaced says goodbye once; one that refuses this node does so each time.
      const isRefusal = isShort && (!isGoodbye || this.#lastWasShort);
      this.#lastWasShort = isShort;
      if (isGoodbye) this.#goodbyes += 1;
      if (isRefusal) {
        this.#broke(new DialError('unreachable', `node ${this.#target.nodeId} closed the connection at once`));
        return;
      }
      this.#failures = 0;
      this.#connect();
    };
    session.once('goaway', () => {
      lost(true);
    });
    session.once('close', () => {
      lost(false);
    });
  }

  #broke(error: DialError): void {
    if (this.#state.kind === 'closed') return;
    if (this.#failures === 0) this.#options.logger.warn({ err: error.message }, 'node cannot be reached');
    const delay = withJitter(backoffDelay(RETRY, this.#failures), this.#options.random());
    this.#failures += 1;
    this.#state = { kind: 'broken', error };
    this.#cancelRetry = this.#options.clock.schedule(delay, () => {
      this.#connect();
    });
  }

  #open(session: ClientHttp2Session, key: string, timeout: number): Promise<ClientHttp2Stream> {
    if (session.closed || session.destroyed) {
      throw new DialError('unreachable', `the connection to node ${this.#target.nodeId} just ended`);
    }
    this.#opened += 1;
    if (this.#opened >= TUNNELS_PER_SESSION) {
      this.#connect();
      session.close();
    }
    return openTunnel(session, key, timeout);
  }
}

function openTunnel(session: ClientHttp2Session, key: string, timeout: number): Promise<ClientHttp2Stream> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'CONNECT',
      ':authority': key,
      [PROTOCOL_HEADER]: PROTOCOL_HEADER_VALUE,
    });
    stream.on('error', ignoreError);
    joinGatheredWrites(stream);
    const stopWaiting = waitAtMost(timeout, () => {
      settle();
      abortTunnel(stream);
      reject(new DialError('timeout', `${key} did not answer within ${Math.round(timeout)} ms`));
    });
    const onClose = (): void => {
      settle();
      reject(new DialError('refused', `${key} is not served by its node`));
    };
    const settle = (): void => {
      stopWaiting();
      stream.off('close', onClose);
    };
    stream.once('close', onClose);
    stream.once('response', (headers) => {
      settle();
      if (headers[':status'] === 200) {
        resolve(stream);
        return;
      }
      abortTunnel(stream);
      reject(new DialError('refused', String(headers[ERROR_HEADER] ?? `${key} was refused by its node`)));
    });
  });
}

/** `session`, or a DialError after `timeout` ms; the attempt itself goes on. */
function within(session: Promise<ClientHttp2Session>, timeout: number, nodeId: string): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const stopWaiting = waitAtMost(timeout, () => {
      reject(new DialError('timeout', `node ${nodeId} did not answer within ${Math.round(timeout)} ms`));
    });
    session.then(resolve, reject).finally(stopWaiting);
  });
}
