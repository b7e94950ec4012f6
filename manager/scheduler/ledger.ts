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

class Account implements NodeAccount {
  reserved: Resources = { nanoCpus: 0, memoryBytes: 0 };
  tasks = 0;
  readonly generics = new GenericTally();
  /** Of tasks that shall live and of those that are stopping. */
  readonly bookings = new Set<Booking>();
  readonly #services = new Map<string, number>();
  readonly #hostPorts = new Map<string, number>();

  tasksOf(serviceId: string): number {
    return this.#services.get(serviceId) ?? 0;
  }

  takes(hostPort: string): boolean {
    return this.#hostPorts.has(hostPort);
  }

  reservedBy(): readonly string[] {
    const memory = new Map<string, number>();
    for (const { serviceName, reserved, generics } of this.bookings) {
      if (reserved.memoryBytes + reserved.nanoCpus + generics.length === 0) continue;
      memory.set(serviceName, (memory.get(serviceName) ?? 0) + reserved.memoryBytes);
    }
    return [...memory].sort(([a, most], [b, less]) => less - most || (a < b ? -1 : 1)).map(([name]) => name);
  }

  add(booking: Booking, sign: 1 | -1): void {
    this.reserved = {
      nanoCpus: this.reserved.nanoCpus + sign * booking.reserved.nanoCpus,
      memoryBytes: this.reserved.memoryBytes + sign * booking.reserved.memoryBytes,
    };
    if (sign > 0) {
      this.bookings.add(booking);
      this.generics.take(booking.generics);
    } else {
      this.bookings.delete(booking);
      this.generics.giveBack(booking.generics);
    }
    if (booking.alive) {
      this.tasks += sign;
      count(this.#services, booking.serviceId, sign);
    }
    for (const port of booking.hostPorts) count(this.#hostPorts, port, sign);
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
      if (account.bookings.size === 0) this.#accounts.delete(before.nodeId);
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

function bookingOf(task: Draft<TaskObject>): Booking | undefined {
  if (task.nodeId === undefined || isTerminal(task.status.State)) return undefined;
  return {
    nodeId: task.nodeId,
    serviceId: task.serviceId,
    serviceName: task.serviceName,
    generics: task.genericResources ?? [],
    reserved: resourcesOf(task.spec.Resources?.Reservations),
    hostPorts: hostPortKeys(task.hostPorts),
    alive: shallLive(task),
  };
}
