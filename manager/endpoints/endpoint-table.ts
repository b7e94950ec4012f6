import type { Endpoint, EndpointTable, Hold, MeshPeer, PublishedPort } from '../../proto/endpoint-table.js';
import type { PortConfig } from '../../proto/engine/service-spec.js';
import { publishAddress } from '../../proto/engine/publish-address.js';
import { holdTimeout, udpTimeout } from '../../proto/engine/service-deadlines.js';
import { shallLive } from '../drain/task-wish.js';
import type { NodeObject, ServiceObject, TaskObject } from '../store/objects.js';

/** What a table is made of. The order of the rows does not matter. */
export interface EndpointSources {
  readonly clusterId: string;
  readonly services: readonly ServiceObject[];
  readonly tasks: readonly TaskObject[];
  readonly nodes: readonly NodeObject[];
}

/** A table that has no number yet: the same state of the cluster gives the same routes, order included. */
export type Routes = Omit<EndpointTable, 'number'>;

export function buildEndpointTable({ clusterId, services, tasks, nodes }: EndpointSources): Routes {
  const reachable = new Set(nodes.filter(isReachable).map((node) => node.id));
  const tasksOf = new Map<string, TaskObject[]>();
  for (const task of tasks) {
    const known = tasksOf.get(task.serviceId);
    if (known === undefined) tasksOf.set(task.serviceId, [task]);
    else known.push(task);
  }
  const ports = services.map((service) =>
    portsOfService(service, tasksOf.get(service.id) ?? [], (nodeId) => reachable.has(nodeId)),
  );
  return { clusterId, nodes: meshPeers(nodes), ports: joinPorts(ports) };
}

/** Whether tasks of a node may be routed to. A suspect or disconnected node still is: its mesh runs on without its daemon. */
export const isReachable = (node: NodeObject | undefined): boolean =>
  node?.meshAddr !== undefined && node.status.state !== 'down';

/**
 * How a task is routed to, its node left aside: `active` while it runs and shall live, `draining`
 * while it still runs and shall stop, not at all otherwise.
 */
export function routeState(task: TaskObject | undefined): Endpoint['state'] | undefined {
  if (task?.status.State !== 'running') return undefined;
  return shallLive(task) ? 'active' : 'draining';
}

/** The published ports of one service, by number. */
export function portsOfService(
  service: ServiceObject,
  tasks: readonly TaskObject[],
  isReachableNode: (nodeId: string) => boolean,
): readonly PublishedPort[] {
  return service.ports
    .filter(isRouted)
    .map(({ PublishedPort: publishedPort, TargetPort: targetPort, Protocol: protocol }): PublishedPort => ({
      publishedPort,
      protocol,
      ...portSettings(service.spec.Labels, targetPort, protocol),
      serviceId: service.id,
      serviceName: service.spec.Name,
      ...listenOn(service.spec.Labels, targetPort),
      ...(protocol === 'udp' ? { udpTimeout: udpTimeout(service.spec.Labels, targetPort) } : {}),
      hold: holdOf(service),
      endpoints: endpointsOf(tasks, targetPort, isReachableNode),
    }))
    .sort(byPort);
}

/** New work waits for a replica, unless there shall be none. */
export const holdOf = ({ spec }: Pick<ServiceObject, 'spec'>): Hold =>
  spec.Mode.Replicated?.Replicas === 0
    ? { ms: 0, reason: 'it is scaled to 0' }
    : { ms: holdTimeout(spec.Labels), reason: 'it has no running replica' };

/** Each member that has said where its mesh listens, whatever its state: only these may open tunnels. */
export const meshPeers = (nodes: readonly NodeObject[]): readonly MeshPeer[] =>
  nodes
    .flatMap(({ id, meshAddr }) => (meshAddr === undefined ? [] : [{ nodeId: id, meshAddr }]))
    .sort((a, b) => compare(a.nodeId, b.nodeId));

/** The ports of all services in one list, by number. */
export const joinPorts = (services: Iterable<readonly PublishedPort[]>): readonly PublishedPort[] =>
  [...services].flat().sort(byPort);

function endpointsOf(
  tasks: readonly TaskObject[],
  targetPort: number,
  isReachableNode: (nodeId: string) => boolean,
): readonly Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (const task of tasks) {
    const state = routeState(task);
    if (state === undefined || task.nodeId === undefined || !isReachableNode(task.nodeId)) continue;
    endpoints.push({ taskId: task.id, nodeId: task.nodeId, targetPort, state });
  }
  return endpoints.sort((a, b) => compare(a.taskId, b.taskId));
}

type RoutedPort = PortConfig & {
  readonly PublishedPort: number;
  readonly TargetPort: number;
  readonly Protocol: PublishedPort['protocol'];
};

/** Whether connections reach tasks of this service through the mesh. */
export const isPublished = (service: Pick<ServiceObject, 'ports'> | undefined): boolean =>
  service?.ports.some(isRouted) ?? false;

/** The mesh serves tcp and udp ports in ingress mode; host-mode ports are bound by the Engine of the task's node. */
const isRouted = (port: PortConfig): port is RoutedPort =>
  port.PublishMode === 'ingress' &&
  (port.Protocol === 'tcp' || port.Protocol === 'udp') &&
  port.PublishedPort !== undefined &&
  port.TargetPort !== undefined;

/** What the labels of the service say of one port. */
function portSettings(
  labels: Readonly<Record<string, string>>,
  targetPort: number,
  protocol: PublishedPort['protocol'],
): Pick<PublishedPort, 'mode' | 'proxyProtocol' | 'maxConnections' | 'balance'> {
  const setting = (name: string): string | undefined => labels[`bale.port.${targetPort}.${name}`];
  const proxyProtocol = setting('proxy-protocol');
  const most = setting('max-connections');
  const balance = balanceOf(setting('balance'), protocol);
  const limits = {
    ...(balance === undefined ? {} : { balance }),
    ...(most === undefined ? {} : { maxConnections: Number(most) }),
  };
  if (proxyProtocol === 'v1' || proxyProtocol === 'v2') return { mode: 'tcp', proxyProtocol, ...limits };
  const mode = setting('protocol');
  return { mode: mode === 'tcp' || mode === 'http' ? mode : 'auto', ...limits };
}

const listenOn = (labels: Readonly<Record<string, string>>, targetPort: number): Pick<PublishedPort, 'listenOn'> => {
  const range = publishAddress(labels, targetPort);
  return range === undefined ? {} : { listenOn: range };
};

/** Clients of a udp port stay with their replica, however those of a tcp port of the same target are spread. */
function balanceOf(value: string | undefined, protocol: PublishedPort['protocol']): PublishedPort['balance'] {
  if (value === 'sticky') return value;
  return value === 'least-connections' && protocol === 'tcp' ? value : undefined;
}

const byPort = (a: PublishedPort, b: PublishedPort): number =>
  a.publishedPort - b.publishedPort || compare(a.protocol, b.protocol) || compare(a.serviceId, b.serviceId);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
