import { isTerminal } from '../../proto/engine/task-state.js';
import { shallLive } from '../drain/task-wish.js';
import type { GenericResource } from '../../proto/engine/task-spec.js';
import type { TaskObject } from '../store/objects.js';
import type { Draft } from '../store/store-types.js';
import { GenericTally } from './generic-resources.js';
import { hostPortKeys, type Resources, resourcesOf } from './requirement.js';

/** What the tasks of one node take of it. */
export interface NodeAccount {
  readonly reserved: Resources;
  readonly generics: GenericTally;
  /** Tasks that shall live, all services together. */
  readonly tasks: number;
  tasksOf(serviceId: string): number;
  takes(hostPort: string): boolean;
  /** Names of the services that reserve something, the one with the most memory first. */
  reservedBy(): readonly string[];
}

interface Booking {
  readonly nodeId: string;
  readonly serviceId: string;
  readonly serviceName: string;
  readonly generics: readonly GenericResource[];
  readonly reserved: Resources;
  readonly hostPorts: readonly string[];
  /** It shall live, so it counts for the spread. One that is stopping still holds resources and ports. */
  readonly alive: boolean;
}

/** What one service has on one node. */
interface ServiceShare {
  readonly name: string;
  /** Tasks that shall live. */
  alive: number;
  /** All tasks, also those that are stopping. */
  bookings: number;
  /** Of them those that reserve something. */
  reserving: number;
  memoryBytes: number;
}

class Account implements NodeAccount {
  readonly reserved = { nanoCpus: 0, memoryBytes: 0 };
  tasks = 0;
  readonly generics = new GenericTally();
  readonly #services = new Map<string, ServiceShare>();
  #hostPorts: Map<string, number> | undefined;

  get isEmpty(): boolean {
    return this.#services.size === 0;
  }

  tasksOf(serviceId: string): number {
    return this.#services.get(serviceId)?.alive ?? 0;
  }

  takes(hostPort: string): boolean {
    return this.#hostPorts?.has(hostPort) ?? false;
  }

  reservedBy(): readonly string[] {
    return [...this.#services.values()]
      .filter(({ reserving }) => reserving > 0)
      .sort((a, b) => b.memoryBytes - a.memoryBytes || (a.name < b.name ? -1 : 1))
      .map(({ name }) => name);
  }

  add({ serviceId, serviceName, reserved, generics, hostPorts, alive }: Booking, sign: 1 | -1): void {
    this.reserved.nanoCpus += sign * reserved.nanoCpus;
    this.reserved.memoryBytes += sign * reserved.memoryBytes;
    if (sign > 0) this.generics.take(generics);
    else this.generics.giveBack(generics);
    let share = this.#services.get(serviceId);
    if (share === undefined) {
      share = { name: serviceName, alive: 0, bookings: 0, reserving: 0, memoryBytes: 0 };
      this.#services.set(serviceId, share);
    }
    share.bookings += sign;
    share.memoryBytes += sign * reserved.memoryBytes;
    if (reserved.memoryBytes + reserved.nanoCpus + generics.length > 0) share.reserving += sign;
    if (share.bookings === 0) this.#services.delete(serviceId);
    if (alive) {
      this.tasks += sign;
      share.alive += sign;
    }
    if (hostPorts.length === 0) return;
    this.#hostPorts ??= new Map();
    for (const port of hostPorts) count(this.#hostPorts, port, sign);
  }
}

function count(counts: Map<string, number>, key: string, by: number): void {
  const next = (counts.get(key) ?? 0) + by;
  if (next === 0) counts.delete(key);
  else counts.set(key, next);
}

const NOWHERE: ReadonlyMap<string, number> = new Map();
const EMPTY: NodeAccount = new Account();

/**
 * Who takes what of which node, kept as tasks change instead of counted anew for each placement.
 *
 * Invariant: the accounts are the sum of the bookings, and each task has at most one booking: it
 * holds from the moment a node is chosen until the task ended or was deleted. Setting the same task
 * twice is setting it once.
 */
export class Ledger {
  /** Moves with each booking that is made, changed or ended. */
  revision = 0;
  readonly #bookings = new Map<string, Booking>();
  readonly #accounts = new Map<string, Account>();
  /** Tasks that shall live, by service and node. */
  readonly #services = new Map<string, Map<string, number>>();

  account(nodeId: string): NodeAccount {
    return this.#accounts.get(nodeId) ?? EMPTY;
  }

  /** How many tasks of a service that shall live each node has; nodes without one are left out. */
  nodesOf(serviceId: string): ReadonlyMap<string, number> {
    return this.#services.get(serviceId) ?? NOWHERE;
  }

  /** Takes note of a task as it is now; undefined = deleted. Tells whether this freed something. */
  set(taskId: string, task: Draft<TaskObject> | undefined): boolean {
    const before = this.#bookings.get(taskId);
    if (task !== undefined && before !== undefined && isSame(before, task)) return false;
    const after = task === undefined ? undefined : bookingOf(task);
    if (before !== undefined || after !== undefined) this.revision += 1;
    if (before !== undefined) {
      this.#bookings.delete(taskId);
      const account = this.#open(before.nodeId);
      account.add(before, -1);
      this.#count(before, -1);
      if (account.isEmpty) this.#accounts.delete(before.nodeId);
    }
    if (after !== undefined) {
      this.#bookings.set(taskId, after);
      this.#open(after.nodeId).add(after, 1);
      this.#count(after, 1);
    }
    return before !== undefined && after === undefined;
  }

  #count({ serviceId, nodeId, alive }: Booking, by: 1 | -1): void {
    if (!alive) return;
    const nodes = this.#services.get(serviceId) ?? new Map<string, number>();
    count(nodes, nodeId, by);
    if (nodes.size === 0) this.#services.delete(serviceId);
    else this.#services.set(serviceId, nodes);
  }

  #open(nodeId: string): Account {
    const known = this.#accounts.get(nodeId);
    if (known !== undefined) return known;
    const account = new Account();
    this.#accounts.set(nodeId, account);
    return account;
  }
}

/** What a task reserves never changes, so its booking does only with these. */
const isSame = (booking: Booking, task: Pick<TaskObject, 'nodeId' | 'status' | 'desiredState' | 'draining'>): boolean =>
  task.nodeId === booking.nodeId && !isTerminal(task.status.State) && shallLive(task) === booking.alive;

const NO_GENERICS: readonly GenericResource[] = [];

function bookingOf(task: Draft<TaskObject>): Booking | undefined {
  if (task.nodeId === undefined || isTerminal(task.status.State)) return undefined;
  return {
    nodeId: task.nodeId,
    serviceId: task.serviceId,
    serviceName: task.serviceName,
    generics: task.genericResources ?? NO_GENERICS,
    reserved: resourcesOf(task.spec.Resources?.Reservations),
    hostPorts: hostPortKeys(task.hostPorts),
    alive: shallLive(task),
  };
}
