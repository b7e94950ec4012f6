import type { Endpoint, PublishedPort } from '../../proto/endpoint-table.js';
import type { TaskObject } from '../store/objects.js';
import type { Commit, View } from '../store/store-types.js';
import { isReachable, joinPorts, meshPeers, portsOfService, routeState, type Routes } from './endpoint-table.js';

/**
 * The routes of the committed state, kept up to date commit by commit.
 *
 * Invariant: after `apply` of each commit `routes` equals `buildEndpointTable` of the whole state; the
 * work is bounded by the services that the commit touched, not by the size of the cluster.
 */
export class RouteCache {
  readonly #view: View;
  readonly #ports = new Map<string, readonly PublishedPort[]>();
  #routes: Routes;

  constructor(view: View) {
    this.#view = view;
    for (const { id } of view.all('service')) this.#refresh(id);
    this.#routes = {
      clusterId: clusterId(view),
      nodes: meshPeers(view.all('node')),
      ports: joinPorts(this.#ports.values()),
    };
  }

  get routes(): Routes {
    return this.#routes;
  }

  /** Takes in a commit that `view` already holds. Says whether the routes became others. */
  apply(commit: Commit): boolean {
    const services = new Set<string>();
    let members = false;
    for (const change of commit.changes) {
      switch (change.table) {
        case 'cluster':
          members ||= change.before === undefined || change.after === undefined;
          break;
        case 'service':
          services.add(change.id);
          break;
        case 'task':
          if (routeOf(change.before) === routeOf(change.after)) break;
          for (const task of [change.before, change.after]) if (task !== undefined) services.add(task.serviceId);
          break;
        case 'node':
          members ||= change.before?.meshAddr !== change.after?.meshAddr;
          if (isReachable(change.before) === isReachable(change.after)) break;
          for (const task of this.#view.tasksByNode(change.id)) services.add(task.serviceId);
          break;
        case 'secret':
        case 'config':
        case 'audit':
          break;
      }
    }
    let moved = false;
    for (const id of services) moved = this.#refresh(id) || moved;
    if (!moved && !members) return false;
    this.#routes = {
      clusterId: members ? clusterId(this.#view) : this.#routes.clusterId,
      nodes: members ? meshPeers(this.#view.all('node')) : this.#routes.nodes,
      ports: moved ? joinPorts(this.#ports.values()) : this.#routes.ports,
    };
    return true;
  }

  /** Computes the ports of one service anew; says whether they became others. */
  #refresh(id: string): boolean {
    const before = this.#ports.get(id) ?? [];
    const service = this.#view.get('service', id);
    const after =
      service === undefined
        ? []
        : portsOfService(service, this.#view.tasksByService(id), (nodeId) =>
            isReachable(this.#view.get('node', nodeId)),
          );
    if (samePorts(before, after)) return false;
    if (after.length === 0) this.#ports.delete(id);
    else this.#ports.set(id, after);
    return true;
  }
}

const clusterId = (view: View): string => view.all('cluster')[0]?.id ?? '';

const samePorts = (a: readonly PublishedPort[], b: readonly PublishedPort[]): boolean =>
  a.length === b.length && a.every((port, position) => samePort(port, b[position]));

const samePort = (a: PublishedPort, b: PublishedPort | undefined): boolean =>
  a.publishedPort === b?.publishedPort &&
  a.protocol === b.protocol &&
  a.mode === b.mode &&
  a.udpTimeout === b.udpTimeout &&
  a.serviceName === b.serviceName &&
  a.proxyProtocol === b.proxyProtocol &&
  a.maxConnections === b.maxConnections &&
  a.balance === b.balance &&
  a.listenOn === b.listenOn &&
  a.hold?.ms === b.hold?.ms &&
  a.hold?.reason === b.hold?.reason &&
  a.endpoints.length === b.endpoints.length &&
  a.endpoints.every((endpoint, position) => sameEndpoint(endpoint, b.endpoints[position]));

const sameEndpoint = (a: Endpoint, b: Endpoint | undefined): boolean =>
  a.taskId === b?.taskId && a.nodeId === b.nodeId && a.targetPort === b.targetPort && a.state === b.state;

/** What of a task has a part in the routes; undefined while it is not routed to. */
function routeOf(task: TaskObject | undefined): string | undefined {
  const state = routeState(task);
  return task === undefined || state === undefined ? undefined : `${state} ${task.serviceId} ${task.nodeId ?? ''}`;
}
