import { isDeepStrictEqual } from 'node:util';
import type { BaleError } from '../../core/errors.js';
import type { IdentitySource } from '../../core/identity.js';
import type { Logger } from '../../core/logger.js';
import { FieldRefused } from '../../proto/engine/decode.js';
import type { NodeDocument, NodeSpec, TLSInfo } from '../../proto/engine/node-document.js';
import type { NodeObject } from '../store/objects.js';
import type { Store, View } from '../store/store-types.js';
import { drained, hurried, tasksLeft, withSpec } from '../updater/node-drain.js';
import { failedPrecondition, invalidFilter, outOfSequence, parseVersion } from './api-errors.js';
import { clusterOf } from './cluster-of.js';
import { type DrainRequest, parseDrainRequest } from './drain-request.js';
import { acceptFilters, hasLabels, hasPrefix, isOneOf, valuesOf } from './filters.js';
import { findNode } from './lookup.js';
import { nodeDocument } from './node-document.js';
import { portErrorsOf, portOwners, type PortOwners } from './port-errors.js';
import { decideNodeRemoval } from './node-removal.js';
import type { Filters, SwarmApi } from './swarm-api.js';

const FILTERS = ['id', 'label', 'node.label', 'membership', 'name', 'role'];
const ROLES = ['worker', 'manager'];
/** Who holds a certificate is a member: nobody waits for acceptance. */
const ACCEPTED = 'accepted';
const MEMBERSHIPS = ['pending', ACCEPTED];

/** `/nodes`. */
export class NodeApi implements Pick<SwarmApi, 'nodes' | 'node' | 'updateNode' | 'removeNode' | 'drainNode'> {
  readonly #store: Store;
  readonly #identity: IdentitySource;
  readonly #trust: () => TLSInfo;
  readonly #logger: Logger;

  constructor(store: Store, identity: IdentitySource, trust: () => TLSInfo, logger: Logger) {
    this.#store = store;
    this.#identity = identity;
    this.#trust = trust;
    this.#logger = logger;
  }

  nodes(filters: Filters): readonly NodeDocument[] {
    acceptFilters(filters, FILTERS);
    const roles = knownWords(filters, 'role', ROLES);
    const memberships = knownWords(filters, 'membership', MEMBERSHIPS);
    if (!isOneOf(ACCEPTED, memberships)) return [];
    const owners = portOwners(this.#store.view.all('service'));
    return this.#store.view
      .all('node')
      .filter((node) => isOneOf(node.spec.Role, roles) && matches(node, filters))
      .map((node) => this.#document(node, owners));
  }

  node(id: string): NodeDocument {
    const { view } = this.#store;
    return this.#document(findNode(view, id), portOwners(view.all('service')));
  }

  /** Labels and availability. A node that is drained is emptied by the updater. */
  async updateNode(id: string, version: string | undefined, body: unknown): Promise<void> {
    const index = parseVersion('node', version);
    const { decodeNodeSpec } = await import('../../proto/engine/node-spec-shape.js');
    const wanted = decodeNodeSpec(body);
    const updated = await this.#store.update((tx) => {
      const node = findNode(tx, id);
      if (index !== node.version) throw outOfSequence();
      if (wanted.Role !== node.spec.Role) throw roleKept(tx, node);
      if (!isSameSpec(node.spec, wanted)) tx.put('node', withSpec(node, wanted, tx.now));
      return { node: node.id, availability: wanted.Availability };
    });
    this.#logger.info(updated, 'node updated');
  }

  /** What drains on the node already gets no longer than the node. */
  async drainNode(id: string, version: string | undefined, request: DrainRequest): Promise<void> {
    const index = version === undefined ? undefined : parseVersion('node', version);
    const limits = parseDrainRequest(request);
    const done = await this.#store.update((tx) => {
      const node = findNode(tx, id);
      if (index !== undefined && index !== node.version) throw outOfSequence();
      const row = drained(node, limits, tx.now);
      tx.put('node', row);
      if (row.drain !== undefined) for (const task of hurried(tx.tasksByNode(node.id), row.drain)) tx.put('task', task);
      return { node: node.id, ...limits };
    });
    this.#logger.info(done, 'node drains');
  }

  async removeNode(id: string, force: boolean): Promise<void> {
    const removed = await this.#store.update((tx) => {
      const node = findNode(tx, id);
      const cluster = clusterOf(tx);
      const removal = decideNodeRemoval(node, cluster, force, tx.now);
      switch (removal.kind) {
        case 'refuse':
          throw removal.error;
        case 'remove':
          tx.delete('node', node.id);
          tx.put('cluster', { ...cluster, removedNodes: removal.removedNodes });
          return { node: node.id, reason: removal.reason };
      }
    });
    this.#logger.info(removed, 'node removed');
  }

  #document(node: NodeObject, owners: PortOwners): NodeDocument {
    return nodeDocument(node, {
      trust: this.#trust(),
      leaderId: this.#identity.current.nodeId,
      portErrors: portErrorsOf(node, owners),
      tasksLeft: node.spec.Availability === 'drain' ? tasksLeft(this.#store.view.tasksByNode(node.id)) : 0,
    });
  }
}

/** Why a node keeps the role it joined with. */
function roleKept(view: Pick<View, 'all'>, { spec }: NodeObject): BaleError {
  const managers = view.all('node').filter((node) => node.spec.Role === 'manager');
  return spec.Role === 'manager' && managers.length === 1
    ? failedPrecondition('attempting to demote the last manager of the swarm', 'BALE_LAST_MANAGER')
    : new FieldRefused('Role', 'a node keeps the role it joined with');
}

const isSameSpec = (a: NodeSpec, b: NodeSpec): boolean =>
  a.Availability === b.Availability && a.Name === b.Name && isDeepStrictEqual(a.Labels, b.Labels);

/** `label` is of the Engine, `node.label` of the node's spec. */
const matches = (node: NodeObject, filters: Filters): boolean =>
  hasPrefix(node.id, valuesOf(filters, 'id')) &&
  hasPrefix(node.description?.Hostname ?? '', valuesOf(filters, 'name')) &&
  hasLabels(node.description?.Engine.Labels ?? {}, valuesOf(filters, 'label')) &&
  hasLabels(node.spec.Labels, valuesOf(filters, 'node.label'));

/** The values of a filter that takes a few words in any case of letters. Throws BALE_FILTER_INVALID. */
function knownWords(filters: Filters, name: string, words: readonly string[]): readonly string[] {
  const wanted = valuesOf(filters, name).filter((value) => value !== '');
  const unknown = wanted.find((value) => !words.includes(value.toLowerCase()));
  if (unknown !== undefined) throw invalidFilter(`Invalid ${name} filter: '${unknown}'`);
  return wanted.map((value) => value.toLowerCase());
}
