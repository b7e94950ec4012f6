import { setMaxListeners } from 'node:events';
import { timestamp, type Clock } from '../../core/clock.js';
import { ControlLoop } from '../../core/control-loop.js';
import { BaleError, errorMessage } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { auditedStore } from '../audit/audited-store.js';
import type { NodeObject } from '../store/objects.js';
import type { CommittedChange, Store, Transaction, View } from '../store/store-types.js';
import { AwakeClock } from './awake-clock.js';
import { deadTasks, type DeadTask } from './dead-tasks.js';
import { judgeNode, type Link, type NodeVerdict } from './judge-node.js';
import { NodeRecord } from './node-record.js';
import type { Probe, ProbeAnswer } from './probe.js';

/** Meshes asked at a time: when all nodes fall silent at once, handshakes must not be what stalls this manager. */
const MOST_PROBES = 32;

export interface NodeHealthOptions {
  readonly store: Store;
  readonly probe: Probe;
  /** ms of silence that a node may have. */
  readonly grace: (view: View) => number;
  /** A node that is down by its silence has its session ended: it comes back with a new one. */
  readonly endSession: (nodeId: string, error: Error) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Knows which nodes live. The dispatcher tells it what it hears; it asks meshes where the agent is
 * silent, and writes the state of nodes, and the ends of containers that nobody else can report.
 */
export class NodeHealth {
  readonly #options: NodeHealthOptions;
  readonly #awake: AwakeClock;
  readonly #loop: ControlLoop<string>;
  readonly #records = new Map<string, NodeRecord>();
  readonly #suspects = new Set<string>();
  #probes = 0;
  /** Nodes whose mesh is to be asked as soon as another has answered. */
  readonly #postponed = new Set<string>();
  readonly #abort = new AbortController();
  readonly #unwatch: () => void;

  constructor(options: NodeHealthOptions) {
    this.#options = options;
    this.#awake = new AwakeClock(options.clock);
    setMaxListeners(2 * MOST_PROBES, this.#abort.signal);
    this.#loop = new ControlLoop<string>({
      name: 'node health',
      clock: options.clock,
      logger: options.logger,
      run: (nodeIds) => this.#judge(nodeIds),
    });
    for (const node of options.store.view.all('node')) this.#add(node);
    this.#unwatch = options.store.watch((commit) => {
      for (const change of commit.changes) this.#follow(change);
    });
  }

  /** Nodes whose agent is out of reach and that are not down: they get no new work. */
  get suspects(): ReadonlySet<string> {
    return this.#suspects;
  }

  /** Its agent opened a session. */
  opened(nodeId: string, engineError: string): void {
    this.#change(nodeId, { kind: 'open', engineError });
    this.#suspects.delete(nodeId);
  }

  /** Anything came over its session. */
  heard(nodeId: string): void {
    const record = this.#records.get(nodeId);
    if (record === undefined) return;
    const wasLost = record.lost;
    record.heard(this.#awake.now());
    if (wasLost || this.#suspects.has(nodeId)) this.#loop.mark(nodeId);
  }

  /** Its session ended, with or without a goodbye. */
  closed(nodeId: string, how: 'broken' | 'goodbye'): void {
    const record = this.#records.get(nodeId);
    if (record === undefined || record.link.kind === 'left') return;
    record.link = { kind: how };
    if (!record.lost) this.#suspects.add(nodeId);
    this.#loop.mark(nodeId);
  }

  /** It leaves the cluster on purpose. Its session may go on for a while. */
  async left(nodeId: string): Promise<void> {
    this.#change(nodeId, { kind: 'left' });
    const request = { who: { kind: 'node', id: nodeId }, request: 'POST /swarm/leave' } as const;
    await auditedStore(this.#options.store, request).update((tx) => this.#write(tx, nodeId));
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#unwatch();
    this.#awake.close();
    await this.#loop.close();
  }

  #change(nodeId: string, link: Link): void {
    const record = this.#records.get(nodeId);
    if (record === undefined) return;
    record.link = link;
    record.heard(this.#awake.now());
    this.#loop.mark(nodeId);
  }

  /** A node as this manager finds it. One that said goodbye to the manager before is still excused. */
  #add(node: NodeObject): void {
    const link: Link = { kind: node.status.state === 'disconnected' ? 'goodbye' : 'unheard' };
    this.#records.set(node.id, new NodeRecord(link, node.status.state === 'down', this.#awake.now()));
    if (node.status.state !== 'down') this.#suspects.add(node.id);
    this.#loop.mark(node.id);
  }

  #follow(change: CommittedChange): void {
    if (change.table !== 'node') return;
    if (change.after === undefined) {
      this.#records.delete(change.id);
      this.#suspects.delete(change.id);
    } else if (change.before === undefined && !this.#records.has(change.id)) {
      this.#add(change.after);
    }
  }

  async #judge(nodeIds: readonly string[]): Promise<void> {
    const { store } = this.#options;
    const changed: string[] = [];
    for (const nodeId of nodeIds) {
      const verdict = this.#verdict(store.view, nodeId);
      if (verdict === undefined) continue;
      if (verdict.suspect) this.#suspects.add(nodeId);
      else this.#suspects.delete(nodeId);
      if (verdict.probe) this.#probe(nodeId);
      if (verdict.wakeAt !== undefined) this.#wake(nodeId, verdict.wakeAt);
      if (!isStored(store.view.get('node', nodeId), verdict)) changed.push(nodeId);
    }
    if (changed.length === 0) return;
    // Judged anew: an agent may have been heard while earlier transactions were on their way to the disk.
    const written = await store.update((tx) => changed.map((nodeId) => [nodeId, this.#write(tx, nodeId)] as const));
    for (const [nodeId, verdict] of written) if (verdict !== undefined) this.#report(nodeId, verdict);
  }

  /** Writes what is to be said of a node; undefined when that is what the store says. */
  #write(tx: Transaction, nodeId: string): NodeVerdict | undefined {
    const node = tx.get('node', nodeId);
    const verdict = this.#verdict(tx, nodeId);
    if (node === undefined || verdict === undefined || isStored(node, verdict)) return undefined;
    tx.put('node', { ...node, status: { ...node.status, state: verdict.state, message: verdict.message } });
    return verdict;
  }

  #report(nodeId: string, { state, message, reason }: NodeVerdict): void {
    const { logger, endSession, store } = this.#options;
    const line = { nodeId, state, reason };
    if (state === 'down') logger.warn(line, 'node is down');
    else logger.info(line, 'node state changed');
    const record = this.#records.get(nodeId);
    // `left` is told by the link; any other loss must be remembered, unless the agent was heard while it was written.
    if (record === undefined || record.link.kind === 'left') return;
    if (this.#verdict(store.view, nodeId)?.lost !== true) return;
    record.lost = true;
    endSession(
      nodeId,
      new BaleError(`this node was taken for lost (${message}); open a new session`, {
        kind: 'unavailable',
        code: 'BALE_NODE_LOST',
      }),
    );
  }

  #verdict(view: View, nodeId: string): NodeVerdict | undefined {
    const record = this.#records.get(nodeId);
    const node = view.get('node', nodeId);
    if (record === undefined || node === undefined) return undefined;
    const { state, message } = node.status;
    const grace = this.#options.grace(view);
    return judgeNode(record.facts({ stored: { state, message }, meshAddr: node.meshAddr, grace }, this.#awake.now()));
  }

  #wake(nodeId: string, at: number): void {
    this.#loop.markAt(nodeId, this.#options.clock.now() + Math.max(0, at - this.#awake.now()));
  }

  #probe(nodeId: string): void {
    const { store, probe, logger } = this.#options;
    const record = this.#records.get(nodeId);
    const meshAddr = store.view.get('node', nodeId)?.meshAddr;
    if (record === undefined || meshAddr === undefined) return;
    if (this.#probes >= MOST_PROBES) {
      this.#postponed.add(nodeId);
      return;
    }
    this.#probes += 1;
    const { take } = record.beginProbe();
    probe({ nodeId, meshAddr }, this.#abort.signal)
      .catch((error: unknown): ProbeAnswer => ({ kind: 'silent', error: errorMessage(error) }))
      .then((answer) => {
        logger.debug({ nodeId, meshAddr, answer }, 'mesh probed');
        return take(answer, this.#awake.now()) ? this.#trust(nodeId, answer) : undefined;
      })
      .catch((error: unknown) => {
        logger.error({ nodeId, err: errorMessage(error) }, 'what a mesh said could not be written');
      })
      .finally(() => {
        this.#probes -= 1;
        this.#loop.mark(nodeId);
        for (const next of this.#postponed) this.#loop.mark(next);
        this.#postponed.clear();
      });
  }

  /** Writes the ends of containers that a mesh saw and no agent can report. */
  async #trust(nodeId: string, answer: ProbeAnswer): Promise<void> {
    if (answer.kind !== 'vouch' || answer.vouch.dead.length === 0) return;
    const { store, clock, logger } = this.#options;
    const ended = await store.update((tx): readonly DeadTask[] => {
      const dead = deadTasks(tx.tasksByNode(nodeId), answer.vouch, timestamp(clock.now()));
      for (const { task, status } of dead) tx.put('task', { ...task, status });
      return dead;
    });
    for (const { task, reason } of ended) logger.info({ nodeId, taskId: task.id, reason }, 'task ended');
  }
}

const isStored = (node: NodeObject | undefined, verdict: NodeVerdict): boolean =>
  node?.status.state === verdict.state && node.status.message === verdict.message;
