import type { Clock } from '../../core/clock.js';
import { BaleError, errorMessage } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { AssignmentSet } from '../../proto/assignment.js';
import type { AgentSession } from '../../proto/cluster-peer.js';
import type { EndpointTable } from '../../proto/endpoint-table.js';
import type { Payload } from '../../proto/payload.js';
import type { AgentMessage, ManagerMessage } from '../../proto/session.js';
import type { SessionState } from '../agent-types.js';
import { nextAttempt } from './session-policy.js';

/** A manager must say welcome within this time, ms, or the next one is tried. */
const WELCOME_PATIENCE = 5_000;
/** A goodbye must reach the connection before the process may end, ms. */
const GOODBYE_PATIENCE = 100;

export interface SessionOptions {
  readonly open: (managerAddr: string) => AgentSession;
  /** No session is opened before it resolves; must not reject. */
  readonly ready: Promise<void>;
  /** host:port; replaced by those of each welcome. */
  readonly managers: readonly string[];
  readonly hello: () => AgentMessage;
  /** What a manager must be told at the start of each session: all statuses, the mesh's report. */
  readonly greeting: () => readonly AgentMessage[];
  readonly onPayloads: (payloads: readonly Payload[]) => void;
  /** Returns why a message cannot be used; the session is opened again then. */
  readonly onAssignments: (assignments: AssignmentSet) => string | undefined;
  readonly onTable: (table: EndpointTable) => void;
  /** The manager at `addr` (host:port) wants a stream. */
  readonly onStream: (addr: string, streamId: string) => void;
  /** A session ended, however it did. */
  readonly onEnd: () => void;
  /** Each session starts with its own numbering of assignments. */
  readonly onOpen: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/**
 * Keeps one session with one of the managers open, for ever. A manager that is silent below the
 * session's messages is found out by the transport's keepalive; one that never says welcome, here.
 */
export class Session {
  readonly #options: SessionOptions;
  #state: SessionState;
  #managers: readonly string[];
  #next = 0;
  #failures = 0;
  #stream: AgentSession | undefined;
  /** When the present session was welcomed, ms since the epoch. */
  #welcomed: number | undefined;
  #lastRefusal = '';
  /** The one thing that waits for time: the welcome, the next heartbeat or the next attempt. */
  #cancelTimer: () => void = () => undefined;
  #closed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#managers = options.managers;
    this.#state = { kind: 'connecting', since: options.clock.now(), error: '' };
    void options.ready.then(() => {
      this.#connect();
    });
  }

  get state(): SessionState {
    return this.#state;
  }

  get managers(): readonly string[] {
    return this.#managers;
  }

  /** Sends when a session is open; what is missed otherwise comes with the next greeting. */
  send(message: AgentMessage): void {
    if (this.#welcomed !== undefined) this.#stream?.send(message);
  }

  /** Says goodbye and ends. */
  async close(): Promise<void> {
    this.#cancelTimer();
    this.#closed = true;
    const stream = this.#stream;
    if (stream === undefined) return;
    if (this.#welcomed !== undefined) {
      stream.send({ kind: 'goodbye' });
      await new Promise<void>((resolve) => {
        // Nothing acknowledges it; the manager may end the session on it.
        const cancel = this.#options.clock.schedule(GOODBYE_PATIENCE, resolve);
        stream.onEnd(() => {
          cancel();
          resolve();
        });
      });
    }
    this.#stream = undefined;
    stream.end();
  }

  #connect(): void {
    if (this.#closed) return;
    const addr = this.#managers[this.#next % this.#managers.length];
    this.#next += 1;
    if (addr === undefined) {
      this.#ended(noManagers());
      return;
    }
    const stream = this.#open(addr);
    if (stream === undefined) return;
    this.#stream = stream;
    this.#options.onOpen();
    stream.onMessage((message) => {
      if (this.#stream === stream) this.#receive(addr, stream, message);
    });
    stream.onEnd((error) => {
      if (this.#stream === stream) this.#ended(error ?? endedInOrder(addr));
    });
    this.#after(WELCOME_PATIENCE, () => {
      if (this.#welcomed === undefined) this.#drop(stream, silent(addr));
    });
    stream.send(this.#options.hello());
  }

  /** Undefined when not even the attempt could be made, e.g. with an identity that cannot be read. */
  #open(addr: string): AgentSession | undefined {
    try {
      return this.#options.open(addr);
    } catch (error) {
      this.#ended(error instanceof Error ? error : new Error(String(error)));
      return undefined;
    }
  }

  #receive(addr: string, stream: AgentSession, message: ManagerMessage): void {
    switch (message.kind) {
      case 'welcome':
        this.#welcome(addr, stream, message);
        break;
      case 'payloads':
        this.#options.onPayloads(message.payloads);
        break;
      case 'assignments': {
        const gap = this.#options.onAssignments(message.assignments);
        if (gap !== undefined) this.#drop(stream, outOfStep(gap));
        break;
      }
      case 'endpoints':
        this.#options.onTable(message.table);
        break;
      case 'stream-request':
        this.#options.onStream(addr, message.streamId);
        break;
    }
  }

  #welcome(addr: string, stream: AgentSession, welcome: Extract<ManagerMessage, { readonly kind: 'welcome' }>): void {
    if (this.#welcomed === undefined) {
      this.#options.logger.info({ manager: addr }, 'session open');
      this.#welcomed = this.#options.clock.now();
      this.#state = { kind: 'connected', manager: addr };
      this.#lastRefusal = '';
      for (const greeting of this.#options.greeting()) stream.send(greeting);
    }
    if (welcome.managers.length > 0) this.#managers = welcome.managers.map((manager) => manager.addr);
    const beat = (): void => {
      stream.send({ kind: 'heartbeat' });
      this.#after(welcome.heartbeatPeriod, beat);
    };
    this.#after(welcome.heartbeatPeriod, beat);
  }

  /** Gives up a stream at once, without waiting for the other side. */
  #drop(stream: AgentSession, error: Error): void {
    this.#ended(error);
    stream.end();
  }

  #ended(error: Error): void {
    const { clock, logger, random } = this.#options;
    this.#cancelTimer();
    this.#stream = undefined;
    const lasted = this.#welcomed === undefined ? 0 : clock.now() - this.#welcomed;
    this.#welcomed = undefined;
    this.#options.onEnd();
    if (this.#closed) return;
    const next = nextAttempt({ error, failures: this.#failures, lasted, random: random() });
    this.#failures = next.failures;
    const text = errorMessage(error);
    if (next.refused) {
      this.#state = { kind: 'refused', error };
      if (this.#lastRefusal !== text) logger.error({ err: text }, next.reason);
      this.#lastRefusal = text;
    } else {
      const since = this.#state.kind === 'connecting' ? this.#state.since : clock.now();
      this.#state = { kind: 'connecting', since, error: text };
      logger.warn({ err: text, retryIn: Math.round(next.delay) }, next.reason);
    }
    this.#after(next.delay, () => {
      this.#connect();
    });
  }

  #after(ms: number, callback: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.schedule(ms, callback);
  }
}

const noManagers = (): BaleError =>
  new BaleError('no manager is known to this node: give the address of one', {
    kind: 'unavailable',
    code: 'BALE_MANAGER_UNREACHABLE',
  });

const endedInOrder = (addr: string): BaleError =>
  new BaleError(`the manager at ${addr} ended the session`, { kind: 'unavailable', code: 'BALE_SESSION_ENDED' });

const silent = (addr: string): BaleError =>
  new BaleError(`the manager at ${addr} did not answer within ${WELCOME_PATIENCE / 1000} s`, {
    kind: 'unavailable',
    code: 'BALE_MANAGER_UNREACHABLE',
  });

const outOfStep = (reason: string): BaleError =>
  new BaleError(`a message of the manager was lost: ${reason}`, {
    kind: 'unavailable',
    code: 'BALE_SESSION_OUT_OF_STEP',
  });
