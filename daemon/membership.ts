import { rm } from 'node:fs/promises';
import type { Manager } from '../manager/manager-types.js';
import type { SwarmApi, SwarmReads } from '../manager/api/swarm-api.js';
import type { ChangeRequest } from '../manager/audit/audit-record.js';
import type { EventFeed } from '../manager/events/cluster-event.js';
import { BaleError, errorMessage } from '../core/errors.js';
import { loadIdentity } from '../core/identity-file.js';
import { IdentitySource } from '../core/identity.js';
import type { SwarmInfo } from '../proto/engine/swarm-document.js';
import { type ClusterNode, type NodeSurroundings, startClusterNode, startMemberManager } from './cluster-node.js';
import { type MembershipRecord, readMembership, removeMembership, writeMembership } from './membership-record.js';
import { alreadyInSwarm, lastManager, notInSwarm, notManager, notPartOfSwarm, notReady } from './refusals.js';
import type { ClusterContainers } from './remote-containers.js';
import { swarmInfo, swarmState } from './swarm-info.js';
import { type PreparedMember, prepareInit } from './swarm-init.js';
import { prepareJoin, waitForSession } from './swarm-join.js';

export type MembershipState =
  | { readonly kind: 'inactive' }
  /** Restarting a member, joining or initialising. */
  | { readonly kind: 'pending'; readonly record?: MembershipRecord }
  | { readonly kind: 'active'; readonly record: MembershipRecord; readonly node: ClusterNode };

/** How long a request waits for a node that is starting, and a join for its session, ms. */
const PATIENCE_MS = 20_000;
/** How long an init waits for its own agent: the cluster is there either way. */
const OWN_AGENT_PATIENCE_MS = 5_000;
/** How long taking back a failed join may take, ms. */
const RESIGN_PATIENCE_MS = 3_000;
/** How often changed manager addresses are written down, ms. */
const REMEMBER_EVERY_MS = 30_000;

/**
 * Whether this node is in a cluster, and the way in and out.
 *
 * Invariant: the membership record is written when everything a member needs is on disk, and removed
 * when nothing of it runs any more. Where there is none, all else of a membership is wiped.
 */
export class Membership {
  readonly #surroundings: NodeSurroundings;
  readonly #ending = new AbortController();
  #state: MembershipState = { kind: 'inactive' };
  /** Init, join, leave and restore, one at a time. */
  #changes: Promise<unknown> = Promise.resolve();
  #cancelRemember: (() => void) | undefined;
  #fail: (error: Error) => void = () => undefined;
  #onManager: (manager: Manager | undefined) => Promise<void> = () => Promise.resolve();
  /** Resolves when this daemon cannot go on with its membership; it must end then. */
  readonly failed: Promise<Error>;

  constructor(surroundings: NodeSurroundings) {
    this.#surroundings = surroundings;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  /** Has `listener` told when a manager runs on this node, and, before it ends, that it is to end. It never rejects. */
  watchManager(listener: (manager: Manager | undefined) => Promise<void>): void {
    this.#onManager = listener;
  }

  /** Reads the membership on disk, if there is one; `resume` takes it up. */
  async load(): Promise<void> {
    const { data } = this.#surroundings;
    const record = await readMembership(data.membershipFile);
    if (record === undefined) {
      await data.wipeMember();
    } else {
      this.#state = { kind: 'pending', record };
      await this.#forgetJoinKey();
    }
  }

  /** Starts the member that was loaded. Requests wait for it meanwhile; `failed` tells when it cannot start. */
  resume(): void {
    if (this.#state.kind !== 'pending' || this.#state.record === undefined) return;
    const { record } = this.#state;
    const { data } = this.#surroundings;
    this.#change(async () => {
      const identity = new IdentitySource(await loadIdentity(data.identityFile));
      const manager =
        record.role === 'manager' ? await startMemberManager(record, identity, this.#surroundings) : undefined;
      await this.#activate({ record, identity, manager });
    }).catch((error: unknown) => {
      this.#fail(error instanceof Error ? error : new Error(errorMessage(error)));
    });
  }

  /** Makes a cluster; resolves with this node's id. */
  init(body: unknown, request: ChangeRequest): Promise<string> {
    return this.#change(async (signal) => {
      const node = await this.#enter((within) => prepareInit(body, request, this.#surroundings, within), signal);
      const patience = AbortSignal.any([signal, AbortSignal.timeout(OWN_AGENT_PATIENCE_MS)]);
      await waitForSession(node, patience).catch((error: unknown) => {
        this.#surroundings.logger.warn({ err: errorMessage(error) }, "the manager's own agent is not connected yet");
      });
      return node.identity.current.nodeId;
    });
  }

  /** Joins a cluster; resolves when the session is up. */
  async join(body: unknown): Promise<void> {
    await this.#change(async (signal) => {
      const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
      const node = await this.#enter((within) => prepareJoin(body, this.#surroundings, within), patience);
      try {
        await waitForSession(node, patience);
      } catch (error) {
        if (node.session.kind === 'refused') await this.#exit(node, true, signal);
        throw error;
      }
    });
  }

  /** Leaves the cluster: containers and mesh of this node end, its state is removed. */
  async leave(force: boolean): Promise<void> {
    await this.#change(async (signal) => {
      if (this.#state.kind !== 'active') throw notPartOfSwarm();
      const { node } = this.#state;
      if (node.manager !== undefined && !force) throw lastManager();
      await this.#exit(node, force, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]));
    });
  }

  /** The cluster's API. Throws the Engine's words where there is none. */
  async api(): Promise<SwarmReads> {
    return (await this.manager()).api;
  }

  /** The same for a request that changes something, which is recorded as its own. */
  async changes(request: ChangeRequest): Promise<SwarmApi> {
    return (await this.manager()).apiFor(request);
  }

  /** This node's manager. Throws the Engine's words where there is none. */
  async manager(): Promise<Manager> {
    await this.#settled();
    const state = this.#state;
    if (state.kind === 'pending') throw notReady('is still starting');
    if (state.kind === 'inactive') throw notInSwarm();
    if (state.node.manager === undefined) throw notManager();
    return state.node.manager;
  }

  /** The containers of the cluster, on a manager at work. */
  get containers(): ClusterContainers | undefined {
    if (this.#state.kind !== 'active') return undefined;
    const { manager } = this.#state.node;
    if (manager === undefined) return undefined;
    return { nodeId: this.#state.record.nodeId, containers: manager.containers, streams: manager.streams };
  }

  /** The events of the cluster, while this node manages one. */
  get events(): EventFeed | undefined {
    return this.#state.kind === 'active' ? this.#state.node.manager?.events : undefined;
  }

  /** The `Swarm` section of `/info`. */
  async info(): Promise<SwarmInfo> {
    if (this.#state.kind === 'pending' && this.#state.record !== undefined) await this.#settled();
    return swarmInfo(this.#state);
  }

  /** The ping's `Swarm` header. */
  get headerState(): string {
    return swarmState(this.#state);
  }

  get isMember(): boolean {
    return this.#state.kind !== 'inactive';
  }

  /** Nothing on a node that is in no cluster: it has no mesh. */
  replaceMesh(): void {
    if (this.#state.kind === 'active') this.#state.node.replaceMesh();
  }

  /** Stops with the daemon: goodbye is said, containers and mesh go on. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#changes;
    this.#cancelRemember?.();
    if (this.#state.kind !== 'active') return;
    await this.#remember(this.#state.node);
    await this.#onManager(undefined);
    await this.#state.node.close();
  }

  /** From nothing to a running member. On failure nothing is left, on disk or running. */
  async #enter(prepare: (signal: AbortSignal) => Promise<PreparedMember>, signal: AbortSignal): Promise<ClusterNode> {
    if (this.#state.kind !== 'inactive') throw alreadyInSwarm();
    const { data } = this.#surroundings;
    this.#state = { kind: 'pending' };
    let prepared: PreparedMember | undefined;
    try {
      prepared = await prepare(signal);
      await writeMembership(data.membershipFile, prepared.record);
      const node = await this.#activate(prepared);
      await this.#forgetJoinKey();
      return node;
    } catch (error) {
      await prepared?.manager?.close();
      if (prepared?.record.role === 'worker') await this.#resign(prepared);
      this.#state = { kind: 'inactive' };
      await removeMembership(data.membershipFile);
      await data.wipeMember();
      throw error;
    }
  }

  /** A member needs no key to ask again with. Left behind it would do no harm, and the next start removes it. */
  async #forgetJoinKey(): Promise<void> {
    try {
      await rm(this.#surroundings.data.joinKeyFile, { force: true });
    } catch (error) {
      this.#surroundings.logger.warn({ err: errorMessage(error) }, 'the key of the join cannot be removed');
    }
  }

  /** Tells the cluster that a node which it took up will not come. It may not hear it: then it shows the node as down. */
  async #resign({ record, identity }: PreparedMember): Promise<void> {
    const { announceLeave } = await import('../proto/cluster-client.js');
    const signal = AbortSignal.timeout(RESIGN_PATIENCE_MS);
    for (const manager of record.managers) {
      try {
        await announceLeave(manager, identity, signal);
        return;
      } catch (error) {
        this.#surroundings.logger.warn({ manager, err: errorMessage(error) }, 'a failed join could not be taken back');
      }
    }
  }

  async #activate({ record, identity, manager }: PreparedMember): Promise<ClusterNode> {
    const node = await startClusterNode(record, identity, manager, this.#surroundings);
    this.#state = { kind: 'active', record, node };
    if (manager !== undefined) await this.#onManager(manager);
    void manager?.failed.then((error) => {
      this.#fail(error);
    });
    this.#rememberLater(node);
    return node;
  }

  async #exit(node: ClusterNode, force: boolean, signal: AbortSignal): Promise<void> {
    const { data } = this.#surroundings;
    try {
      await node.leave(force, signal);
    } catch (error) {
      throw new BaleError(
        `this node could not leave in order: ${errorMessage(error)}; use --force to leave nevertheless`,
        { kind: 'unavailable', code: 'BALE_LEAVE_FAILED', cause: error },
      );
    }
    this.#cancelRemember?.();
    await this.#onManager(undefined);
    this.#state = { kind: 'inactive' };
    await removeMembership(data.membershipFile);
    await data.wipeMember();
  }

  #rememberLater(node: ClusterNode): void {
    this.#cancelRemember = this.#surroundings.clock.schedule(REMEMBER_EVERY_MS, () => {
      void this.#remember(node).finally(() => {
        if (this.#state.kind === 'active' && this.#state.node === node) this.#rememberLater(node);
      });
    });
  }

  /** Writes down the managers that the cluster named last, for the next start. */
  async #remember(node: ClusterNode): Promise<void> {
    if (this.#state.kind !== 'active' || this.#state.node !== node) return;
    const { record } = this.#state;
    const managers = node.managers;
    if (managers.length === 0 || managers.join() === record.managers.join()) return;
    const updated: MembershipRecord = { ...record, managers };
    try {
      await writeMembership(this.#surroundings.data.membershipFile, updated);
      this.#state = { kind: 'active', record: updated, node };
    } catch (error) {
      this.#surroundings.logger.warn({ err: errorMessage(error) }, 'the addresses of the managers cannot be saved');
    }
  }

  #change<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const signal = this.#ending.signal;
    const run = this.#changes.then(() => {
      if (signal.aborted) throw notReady('is stopping');
      return work(signal);
    });
    this.#changes = run.catch(() => undefined);
    return run;
  }

  /** Waits for the change under way, within bounds. */
  async #settled(): Promise<void> {
    if (this.#state.kind !== 'pending') return;
    let cancel = (): void => undefined;
    const patience = new Promise<void>((resolve) => {
      cancel = this.#surroundings.clock.schedule(PATIENCE_MS, resolve);
    });
    await Promise.race([this.#changes, patience]);
    cancel();
  }
}
