import { parseHostPort } from '../../core/address.js';
import type { Clock } from '../../core/clock.js';
import { BaleError, errorMessage } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { ManagerSession, Peer } from '../../proto/cluster-peer.js';
import { checkProtocolVersion } from '../../proto/protocol-version.js';
import type { AgentMessage } from '../../proto/session.js';
import type { EndpointController } from '../endpoints/endpoint-controller.js';
import { NodeHealth } from '../node-health/node-health.js';
import type { Probe } from '../node-health/probe.js';
import type { PayloadSource } from '../secrets/payload-source.js';
import type { Commit, CommittedChange, Store } from '../store/store-types.js';
import { assignmentChanges, toAssignment } from './assignment-changes.js';
import { heartbeatOf } from './heartbeat.js';
import { MeshReports, type MeshAck } from './mesh-reports.js';
import { reportedNode, type NodeReport } from './node-record.js';
import {
  managerStops,
  nodeRemoved,
  nodeUnknown,
  sessionFlood,
  sessionOrder,
  sessionReplaced,
  sessionSilent,
} from './session-errors.js';
import { judgeSessionRate, type SessionTimes } from './session-rate.js';
import { Session, type Welcome } from './session.js';
import { StatusInbox } from './status-inbox.js';

/** A session without its hello after so long is ended, ms. */
const HELLO_TIMEOUT = 5_000;

export interface DispatcherOptions {
  readonly store: Store;
  readonly endpoints: Pick<EndpointController, 'table' | 'onTable'>;
  /** Secrets and configs in clear, for the nodes that need them. */
  readonly payloadOf: PayloadSource;
  readonly probe: Probe;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Hello = Extract<AgentMessage, { kind: 'hello' }>;

/**
 * Holds the session of each agent: tells it what to run and where ports lead, takes in what it
 * observes. See docs/dispatcher.md.
 *
 * Invariants: a node has at most one session that counts, the one whose hello came last; a session
 * is told of every commit after the state that its complete set shows, and of none before.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #health: NodeHealth;
  readonly #inbox: StatusInbox;
  readonly #mesh: MeshReports;
  /** Per node: the session whose hello is awaited, and the one that counts. */
  readonly #silent = new Map<string, Session>();
  readonly #sessions = new Map<string, Session>();
  readonly #times = new Map<string, SessionTimes>();
  readonly #unsubscribe: readonly (() => void)[];
  readonly #onSessionEnd = new Set<(nodeId: string, cause: string) => void>();
  #closing: Promise<void> | undefined;

  constructor(options: DispatcherOptions) {
    const { store, endpoints, probe, clock, logger } = options;
    this.#options = options;
    this.#health = new NodeHealth({
      store,
      probe,
      clock,
      logger,
      grace: (view) => heartbeatOf(view.all('cluster')[0]?.spec).grace,
      endSession: (nodeId, error) => this.#sessions.get(nodeId)?.end(error),
    });
    this.#inbox = new StatusInbox({ store, clock, logger });
    this.#mesh = new MeshReports({ store, logger });
    this.#unsubscribe = [
      store.watch((commit) => {
        this.#follow(commit);
      }),
      endpoints.onTable((table) => {
        for (const session of this.#sessions.values()) if (session.phase === 'live') session.sendTable(table);
      }),
    ];
  }

  /** A new session of an authorized peer. */
  session(peer: Peer, stream: ManagerSession): void {
    if (this.#closing !== undefined) {
      stream.end(managerStops());
      return;
    }
    const session = new Session(peer, stream, this.#options.payloadOf, this.#options.clock);
    this.#silent.get(peer.nodeId)?.end(sessionReplaced(peer.nodeId));
    this.#silent.set(peer.nodeId, session);
    const cancel = this.#options.clock.schedule(HELLO_TIMEOUT, () => {
      if (session.phase === 'silent') session.end(sessionSilent(HELLO_TIMEOUT));
    });
    stream.onEnd((error) => {
      cancel();
      this.#ended(session, error);
    });
    stream.onMessage((message) => {
      this.#receive(session, message);
    });
  }

  /** The node leaves on purpose: it is down from this moment, and its tasks move. */
  async leave(peer: Peer): Promise<void> {
    this.#options.logger.info({ nodeId: peer.nodeId }, 'a node leaves the cluster');
    await this.#health.left(peer.nodeId);
  }

  /** Asks the agent of a node for a stream to its Engine. */
  requestStream(nodeId: string, streamId: string): 'asked' | 'no-session' | 'unsupported' {
    const session = this.#sessions.get(nodeId);
    // A node whose hello is being written may already be shown as ready.
    if (session === undefined || session.phase === 'ended') return 'no-session';
    if (!session.streams) return 'unsupported';
    session.requestStream(streamId);
    return 'asked';
  }

  /** Calls `listener` when the session of a node ended, with the reason. The returned function unsubscribes. */
  onSessionEnd(listener: (nodeId: string, cause: string) => void): () => void {
    this.#onSessionEnd.add(listener);
    return () => {
      this.#onSessionEnd.delete(listener);
    };
  }

  /** Nodes that get no new work although they are not down. */
  suspects(): ReadonlySet<string> {
    return this.#health.suspects;
  }

  /** What the meshes of the members said last, by node. */
  meshAcks(): ReadonlyMap<string, MeshAck> {
    return this.#mesh.acks;
  }

  /** Calls `listener` after each word of a mesh. The returned function unsubscribes. */
  onMeshReport(listener: () => void): () => void {
    return this.#mesh.onReport(listener);
  }

  /** Ends the sessions. That they end by our own will is no fault of their nodes. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // The caller sets `#closing` only when this returns its promise.
    await Promise.resolve();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    for (const session of [...this.#silent.values(), ...this.#sessions.values()]) session.end(managerStops());
    await this.#health.close();
    await this.#inbox.close();
  }

  #receive(session: Session, message: AgentMessage): void {
    const { nodeId } = session;
    if ((message.kind === 'hello') !== (session.phase === 'silent')) {
      session.end(sessionOrder(message.kind, session.phase === 'silent'));
      return;
    }
    if (message.kind !== 'hello') {
      if (this.#sessions.get(nodeId) !== session) return;
      this.#health.heard(nodeId);
    }
    switch (message.kind) {
      case 'hello':
        this.#greet(session, message).catch((error: unknown) => {
          session.end(error instanceof Error ? error : new Error(String(error)));
        });
        break;
      case 'heartbeat':
        break;
      case 'condition':
        this.#health.opened(nodeId, message.engineError);
        this.#write(this.#report(nodeId, message), 'the condition of a node');
        break;
      case 'statuses':
        this.#inbox.report(nodeId, message.statuses);
        break;
      case 'mesh':
        this.#write(this.#mesh.report(nodeId, message.report), 'the report of a mesh');
        break;
      case 'goodbye':
        session.saidGoodbye = true;
        session.end();
        break;
    }
  }

  /** Takes a session in by its hello. Throws what the peer is then told. */
  async #greet(session: Session, hello: Hello): Promise<void> {
    const { nodeId, peer } = session;
    const { store, clock, logger, endpoints } = this.#options;
    checkProtocolVersion(hello.protocolVersion, `node ${nodeId} (bale ${hello.baleVersion.slice(0, 40)})`);
    if (store.view.get('node', nodeId) === undefined) throw nodeUnknown(nodeId);
    parseHostPort(hello.meshAddr, { port: 2378 }, 'mesh address');
    const rate = judgeSessionRate(this.#times.get(nodeId) ?? [], clock.now());
    if (rate.kind === 'refuse') throw sessionFlood(nodeId, rate.reason);
    this.#times.set(nodeId, rate.times);

    session.greet();
    session.streams = hello.streams;
    this.#silent.delete(nodeId);
    const earlier = this.#sessions.get(nodeId);
    this.#sessions.set(nodeId, session);
    if (earlier !== undefined) {
      earlier.end(sessionReplaced(nodeId));
      this.#tellEnd(nodeId, 'it opened another session');
    }
    this.#health.opened(nodeId, hello.engineError);
    const { description, engineError, meshAddr } = hello;
    await this.#report(nodeId, { description, engineError, meshAddr, addr: peer.address });
    // Ended, or replaced by a later one, while it was written.
    if (this.#sessions.get(nodeId) !== session) return;
    logger.info({ nodeId, hostname: description.Hostname, addr: peer.address }, 'session opened');
    session.start(this.#welcome(), store.view.tasksByNode(nodeId).map(toAssignment), endpoints.table);
  }

  async #report(nodeId: string, report: NodeReport): Promise<void> {
    await this.#options.store.update((tx) => {
      const node = tx.get('node', nodeId);
      if (node !== undefined) tx.put('node', reportedNode(node, report));
    });
  }

  #welcome(): Welcome {
    const { view } = this.#options.store;
    const cluster = view.all('cluster')[0];
    if (cluster === undefined) {
      throw new BaleError('the store holds no cluster', { kind: 'internal', code: 'BALE_CLUSTER_MISSING' });
    }
    return {
      clusterId: cluster.id,
      heartbeatPeriod: heartbeatOf(cluster.spec).period,
      trustRoot: cluster.rootCertificate,
      managers: view
        .all('node')
        .flatMap(({ id, managerAddr }) => (managerAddr === undefined ? [] : [{ nodeId: id, addr: managerAddr }])),
    };
  }

  #ended(session: Session, error: Error | undefined): void {
    const { nodeId } = session;
    if (this.#silent.get(nodeId) === session) this.#silent.delete(nodeId);
    if (this.#sessions.get(nodeId) !== session) return;
    this.#sessions.delete(nodeId);
    this.#tellEnd(nodeId, error === undefined ? 'its session ended' : errorMessage(error));
    if (this.#closing !== undefined) return;
    const how = session.saidGoodbye ? 'goodbye' : 'broken';
    const cause = error === undefined ? {} : { err: errorMessage(error) };
    this.#options.logger.info({ nodeId, how, ...cause }, 'session ended');
    this.#health.closed(nodeId, how);
  }

  #tellEnd(nodeId: string, cause: string): void {
    for (const listener of this.#onSessionEnd) listener(nodeId, cause);
  }

  #follow({ changes }: Commit): void {
    for (const [nodeId, change] of assignmentChanges(changes)) {
      const session = this.#sessions.get(nodeId);
      if (session?.phase === 'live') session.change(change);
    }
    for (const change of changes) this.#followMember(change);
  }

  #followMember(change: CommittedChange): void {
    if (change.table === 'node' && change.after === undefined) {
      const { id } = change;
      const error = nodeRemoved(id);
      this.#mesh.forget(id);
      this.#times.delete(id);
      this.#silent.get(id)?.end(error);
      this.#sessions.get(id)?.end(error);
    }
    if (change.table === 'cluster' && change.after !== undefined && change.before !== undefined) {
      if (heartbeatOf(change.before.spec).period === heartbeatOf(change.after.spec).period) return;
      const welcome = this.#welcome();
      for (const session of this.#sessions.values()) if (session.phase === 'live') session.welcome(welcome);
    }
  }

  /** Nobody waits for these; the store tells of its own failure. */
  #write(written: Promise<void>, what: string): void {
    written.catch((error: unknown) => {
      this.#options.logger.warn({ err: errorMessage(error) }, `${what} was not written`);
    });
  }
}
