import type { Clock } from '../../core/clock.js';
import type { Assignment } from '../../proto/assignment.js';
import type { ManagerSession, Peer } from '../../proto/cluster-peer.js';
import type { EndpointTable } from '../../proto/endpoint-table.js';
import type { ManagerMessage } from '../../proto/session.js';
import type { Payload, PayloadRef } from '../../proto/payload.js';
import type { PayloadSource } from '../secrets/payload-source.js';
import type { AssignmentChange } from './assignment-changes.js';
import { PayloadLedger } from './payload-ledger.js';

/** Two endpoint tables of one session are at least so far apart, ms: a rollout is not told replica by replica. */
const TABLE_PACE = 20;

/** Payloads of one message have about so many bytes at most (a larger one travels alone): the agent takes 4 MiB. */
const PAYLOAD_BATCH = 1024 * 1024;

export type Welcome = Omit<Extract<ManagerMessage, { kind: 'welcome' }>, 'kind'>;

/** Where a session stands: it begins with a hello, which is written to the store before it is answered. */
export type SessionPhase = 'silent' | 'greeted' | 'live' | 'ended';

/**
 * The manager's end of one session: what goes down the stream, in order.
 *
 * Invariants: assignments are numbered from 1 without gaps, the first set is complete; of endpoint
 * tables only the newest waits to be sent; the secrets and configs that a task needs come before it.
 */
export class Session {
  readonly peer: Peer;
  readonly #stream: ManagerSession;
  readonly #clock: Clock;
  readonly #payloadOf: PayloadSource;
  readonly #payloads = new PayloadLedger();
  #phase: SessionPhase = 'silent';
  /** The peer stops on purpose. */
  saidGoodbye = false;
  /** Its agent answers requests for streams. */
  streams = false;
  #assignments = 0;
  #table: EndpointTable | undefined;
  #tableTimer: (() => void) | undefined;

  constructor(peer: Peer, stream: ManagerSession, payloadOf: PayloadSource, clock: Clock) {
    this.peer = peer;
    this.#stream = stream;
    this.#clock = clock;
    this.#payloadOf = payloadOf;
    stream.onEnd(() => {
      this.#phase = 'ended';
      this.#tableTimer?.();
      this.#table = undefined;
    });
  }

  get nodeId(): string {
    return this.peer.nodeId;
  }

  get phase(): SessionPhase {
    return this.#phase;
  }

  /** Its hello came and is being written. */
  greet(): void {
    this.#phase = 'greeted';
  }

  /** Answers the hello: from here on the session follows the store. */
  start(welcome: Welcome, assignments: readonly Assignment[], table: EndpointTable): void {
    this.#phase = 'live';
    this.welcome(welcome);
    this.#assignments = 1;
    this.#sendPayloads(this.#payloads.change(assignments, []));
    const set = { kind: 'complete', resultsIn: this.#assignments, set: assignments } as const;
    this.#stream.send({ kind: 'assignments', assignments: set });
    this.sendTable(table);
  }

  welcome(welcome: Welcome): void {
    this.#stream.send({ kind: 'welcome', ...welcome });
  }

  change({ set, remove }: AssignmentChange): void {
    this.#sendPayloads(this.#payloads.change(set, remove));
    const appliesTo = this.#assignments;
    this.#assignments += 1;
    const assignments = { kind: 'incremental', appliesTo, resultsIn: this.#assignments, set, remove } as const;
    this.#stream.send({ kind: 'assignments', assignments });
  }

  /** What is not there any more is left out: the agent says so of the task that needs it. */
  #sendPayloads(refs: readonly PayloadRef[]): void {
    let batch: Payload[] = [];
    let bytes = 0;
    const flush = (): void => {
      if (batch.length > 0) this.#stream.send({ kind: 'payloads', payloads: batch });
      batch = [];
      bytes = 0;
    };
    for (const ref of refs) {
      const payload = this.#payloadOf(ref);
      if (payload === undefined) continue;
      if (bytes + payload.data.length > PAYLOAD_BATCH) flush();
      batch.push(payload);
      bytes += payload.data.length;
    }
    flush();
  }

  /** Sends a table now, or the newest one a moment later when one was just sent. */
  sendTable(table: EndpointTable): void {
    if (this.#phase === 'ended') return;
    if (this.#tableTimer !== undefined) {
      this.#table = table;
      return;
    }
    this.#stream.send({ kind: 'endpoints', table });
    this.#tableTimer = this.#clock.schedule(TABLE_PACE, () => {
      this.#tableTimer = undefined;
      const waiting = this.#table;
      this.#table = undefined;
      if (waiting !== undefined) this.sendTable(waiting);
    });
  }

  requestStream(streamId: string): void {
    this.#stream.send({ kind: 'stream-request', streamId });
  }

  end(error?: Error): void {
    this.#stream.end(error);
  }
}
