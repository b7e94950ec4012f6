import type { PortError } from '../../proto/engine/node-document.js';
import type { MeshReport } from '../../proto/session.js';
import { isReachable } from '../endpoints/endpoint-table.js';
import type { NodeObject, ServiceObject } from '../store/objects.js';

type BindError = MeshReport['bindErrors'][number];

/** Ids of the services that publish each port now. Not kept with the errors: a port may have changed hands since. */
export type PortOwners = ReadonlyMap<string, string>;

export const portOwners = (services: readonly ServiceObject[]): PortOwners =>
  new Map(
    services.flatMap(({ id, ports }) =>
      ports.flatMap(({ PublishedPort = 0, Protocol = 'tcp', PublishMode }) =>
        PublishMode === 'ingress' ? [[`${PublishedPort}/${Protocol}`, id] as const] : [],
      ),
    ),
  );

/** The published ports that this node does not serve, each with its service. */
export const portErrorsOf = ({ id, portErrors }: NodeObject, owners: PortOwners): readonly PortError[] =>
  portErrors.flatMap(({ publishedPort, protocol, error, notice }) => {
    const serviceId = owners.get(`${publishedPort}/${protocol}`);
    if (serviceId === undefined) return [];
    return [{ nodeId: id, publishedPort, protocol, serviceId, error, ...(notice === true ? { notice } : {}) }];
  });

/**
 * The ports of each service that some node does not serve. That a node has none of the addresses
 * that a port asks for is a notice, no fault, as long as another node serves the port.
 */
export function portErrorsByService(
  nodes: readonly NodeObject[],
  owners: PortOwners,
): ReadonlyMap<string, readonly PortError[]> {
  const meshes = nodes.filter(isReachable);
  const notServing = new Map<string, number>();
  for (const error of meshes.flatMap(({ portErrors }) => portErrors)) {
    notServing.set(portOf(error), (notServing.get(portOf(error)) ?? 0) + 1);
  }
  const byService = new Map<string, PortError[]>();
  for (const error of nodes.flatMap((node) => portErrorsOf(node, owners))) {
    const isServed = (notServing.get(portOf(error)) ?? 0) < meshes.length;
    const shown = isServed ? error : asFault(error);
    const known = byService.get(error.serviceId);
    if (known === undefined) byService.set(error.serviceId, [shown]);
    else known.push(shown);
  }
  return byService;
}

const portOf = ({ publishedPort, protocol }: BindError): string => `${publishedPort}/${protocol}`;

function asFault({ notice, ...error }: PortError): PortError {
  return notice === true ? { ...error, error: `${error.error}, and no other node serves it` } : error;
}
