import type { PortError } from '../../proto/engine/node-document.js';
import { isReachable } from '../endpoints/endpoint-table.js';
import type { NodeObject } from '../store/objects.js';

/**
 * The ports of each service that some node does not serve. That a node has none of the addresses
 * that a port asks for is a notice, no fault, as long as another node serves the port.
 */
export function portErrorsByService(nodes: readonly NodeObject[]): ReadonlyMap<string, readonly PortError[]> {
  const meshes = nodes.filter(isReachable);
  const notServing = new Map<string, number>();
  for (const { portErrors } of meshes) {
    for (const error of portErrors) notServing.set(portOf(error), (notServing.get(portOf(error)) ?? 0) + 1);
  }
  const byService = new Map<string, PortError[]>();
  for (const error of nodes.flatMap(({ portErrors }) => portErrors)) {
    const isServed = (notServing.get(portOf(error)) ?? 0) < meshes.length;
    const shown = isServed ? error : asFault(error);
    const known = byService.get(error.serviceId);
    if (known === undefined) byService.set(error.serviceId, [shown]);
    else known.push(shown);
  }
  return byService;
}

const portOf = ({ publishedPort, protocol }: PortError): string => `${publishedPort}/${protocol}`;

function asFault({ notice, ...error }: PortError): PortError {
  return notice === true ? { ...error, error: `${error.error}, and no other node serves it` } : error;
}
