import { drainDeadline } from '../../proto/engine/service-deadlines.js';
import { isTerminal } from '../../proto/engine/task-state.js';
import { isPublished, isReachable, routeState } from '../endpoints/endpoint-table.js';
import type { NodeObject, TaskObject } from '../store/objects.js';
import type { View } from '../store/store-types.js';
import { type Activation, type DrainVerdict, judgeActivation, judgeDrain, type MeshFact } from './drain-gate.js';

/** What the meshes of the members said last, by node. */
export type MeshAcks = ReadonlyMap<
  string,
  { readonly tableNumber: number; readonly inFlight: Readonly<Record<string, number>> }
>;

export interface HandshakeOptions {
  /** The present endpoint table: it shows every commit up to now. */
  readonly endpoints: { readonly table: { readonly number: number } };
  readonly acks: () => MeshAcks;
}

type Reads = Pick<View, 'get' | 'all'>;

interface Mark {
  readonly state: 'active' | 'draining';
  readonly table: number;
  readonly at: number;
}

/**
 * Gathers the facts for the gate: which table says what of a task, and who acknowledged it.
 *
 * The number that counts for a task is that of the table at hand when it is first asked about after
 * its route changed: the table follows each commit at once, so that one says it too. It is kept in
 * memory alone; a manager that comes back asks for its own first table, which is a later one.
 */
export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #marks = new Map<string, Mark>();

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** For a task with `draining`. */
  drain(task: TaskObject, view: Reads, now: number): DrainVerdict {
    const { since, deadline } = task.draining ?? { since: now, deadline: now };
    const node = nodeOf(task, view);
    const idleBecause = idleCause(task, node);
    return judgeDrain({
      ...(idleBecause === undefined ? {} : { idleBecause }),
      node: nameOf(node),
      table: this.#mark(task.id, 'draining', now).table,
      meshes: idleBecause === undefined ? this.#meshes(view, task.id) : [],
      since,
      deadline,
      now,
    });
  }

  /** Whether a new task serves. */
  activation(task: TaskObject, view: Reads, now: number): Activation {
    const service = view.get('service', task.serviceId);
    const routed = isPublished(service);
    const node = nodeOf(task, view);
    const inactiveBecause = inactiveCause(task, node, routed);
    if (inactiveBecause !== undefined) {
      this.forget(task.id);
      return judgeActivation({ inactiveBecause, routed, table: 0, meshes: [], patience: now, now });
    }
    const mark = this.#mark(task.id, 'active', now);
    const patience = mark.at + drainDeadline(service?.spec.Labels ?? {});
    return judgeActivation({
      routed,
      table: mark.table,
      meshes: routed ? this.#meshes(view, task.id) : [],
      patience,
      now,
    });
  }

  /** The task is gone, or starts anew. */
  forget(taskId: string): void {
    this.#marks.delete(taskId);
  }

  #mark(taskId: string, state: Mark['state'], now: number): Mark {
    const known = this.#marks.get(taskId);
    if (known?.state === state) return known;
    const mark = { state, table: this.#options.endpoints.table.number, at: now };
    this.#marks.set(taskId, mark);
    return mark;
  }

  #meshes(view: Reads, taskId: string): readonly MeshFact[] {
    const acks = this.#options.acks();
    return view.all('node').flatMap((node) => {
      if (!isReachable(node)) return [];
      const ack = acks.get(node.id);
      return { node: nameOf(node), acked: ack?.tableNumber ?? 0, inFlight: ack?.inFlight[taskId] ?? 0 };
    });
  }
}

const nodeOf = (task: TaskObject, view: Reads): NodeObject | undefined =>
  task.nodeId === undefined ? undefined : view.get('node', task.nodeId);

const nameOf = (node: NodeObject | undefined): string => node?.description?.Hostname ?? node?.id ?? 'no node';

function idleCause(task: TaskObject, node: NodeObject | undefined): string | undefined {
  if (isTerminal(task.status.State)) return 'it has ended';
  if (task.status.State !== 'running') return 'it does not run yet';
  if (node === undefined) return 'its node was removed';
  return node.status.state === 'down' ? 'its node is down' : undefined;
}

function inactiveCause(task: TaskObject, node: NodeObject | undefined, routed: boolean): string | undefined {
  const { State, Err = '', Message } = task.status;
  if (State !== 'running') return `${State}: ${Err === '' ? Message : Err}`;
  if (routeState(task) !== 'active') return 'it is on its way out';
  if (node === undefined || node.status.state === 'down') return 'its node is lost';
  return routed && !isReachable(node) ? 'the mesh of its node is not known yet' : undefined;
}
