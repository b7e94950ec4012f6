import type { PortConfig } from '../../proto/engine/service-spec.js';
import type { ServiceObject } from '../store/objects.js';

/** Ports that are handed out when a spec asks for "any" (published port 0), as in Swarm. */
const FIRST_DYNAMIC = 30_000;
const LAST_DYNAMIC = 32_767;

/** A port with its defaults filled in. */
type AllottedPort = PortConfig & Required<Pick<PortConfig, 'Protocol' | 'PublishedPort' | 'PublishMode'>>;

export type PortAllotment =
  /** In the order of the spec; for `ServiceObject.ports`. A host-mode port keeps 0: the Engine chooses there. */
  | { readonly kind: 'allotted'; readonly ports: readonly AllottedPort[] }
  /** `reason` is the Engine's text (swarm.md 1.6), for an `invalid` BaleError with this code. */
  | {
      readonly kind: 'refused';
      readonly code: 'BALE_PORT_DUPLICATE' | 'BALE_PORT_IN_USE' | 'BALE_PORT_NONE_FREE';
      readonly reason: string;
    };

/**
 * Allots published ports to a service that is created (`serviceId` absent) or updated.
 *
 * `wanted` is `spec.EndpointSpec.Ports`, `services` are all services of the cluster: the service
 * itself may be among them, and then a wish for any port keeps the one it has. Pure: call it in the
 * transaction that writes the service, so that no other takes the port in between.
 */
export function allotPorts(
  wanted: readonly PortConfig[],
  services: readonly Pick<ServiceObject, 'id' | 'spec' | 'ports'>[],
  serviceId?: string,
): PortAllotment {
  const ports = wanted.map(withDefaults);
  const fixed = ports.filter((port) => port.PublishedPort !== 0);
  if (new Set(fixed.map(portKey)).size < fixed.length) {
    return {
      kind: 'refused',
      code: 'BALE_PORT_DUPLICATE',
      reason: 'EndpointSpec: duplicate published ports provided',
    };
  }
  const others = services.filter((service) => service.id !== serviceId);
  const conflict = findConflict(fixed, others);
  if (conflict !== undefined) return { kind: 'refused', code: 'BALE_PORT_IN_USE', reason: conflict };

  const taken = new Set([...fixed, ...others.flatMap((service) => service.ports.map(withDefaults))].map(portKey));
  const held = (services.find((service) => service.id === serviceId)?.ports ?? []).map(withDefaults);
  const allotted: AllottedPort[] = [];
  for (const port of ports) {
    if (port.PublishedPort !== 0 || port.PublishMode === 'host') {
      allotted.push(port);
      continue;
    }
    const number = heldPort(port, held, taken) ?? lowestFree(port, taken);
    if (number === undefined) {
      return {
        kind: 'refused',
        code: 'BALE_PORT_NONE_FREE',
        reason: `no published port is free in ${FIRST_DYNAMIC}-${LAST_DYNAMIC} (${port.Protocol}); publish target port ${port.TargetPort ?? 0} on a port of your choice`,
      };
    }
    const chosen = { ...port, PublishedPort: number };
    taken.add(portKey(chosen));
    allotted.push(chosen);
  }
  return { kind: 'allotted', ports: allotted };
}

const withDefaults = (port: PortConfig): AllottedPort => ({
  ...port,
  Protocol: port.Protocol ?? 'tcp',
  PublishedPort: port.PublishedPort ?? 0,
  PublishMode: port.PublishMode ?? 'ingress',
});

const portKey = (port: AllottedPort): string => `${port.PublishedPort}/${port.Protocol}`;

/**
 * Why the first of `fixed` that clashes cannot be had. Two host-mode ports do not clash: the
 * scheduler keeps their tasks on different nodes.
 */
function findConflict(
  fixed: readonly AllottedPort[],
  others: readonly Pick<ServiceObject, 'id' | 'spec' | 'ports'>[],
): string | undefined {
  const wanted = new Map(fixed.map((port) => [portKey(port), port]));
  if (wanted.size === 0) return undefined;
  for (const { id, spec, ports } of others) {
    for (const port of ports.map(withDefaults)) {
      const clash = wanted.get(portKey(port));
      if (clash === undefined || (clash.PublishMode === 'host' && port.PublishMode === 'host')) continue;
      const how = port.PublishMode === 'host' ? 'a host-published' : 'an ingress';
      // The Engine's words, in which a port without a protocol is tcp.
      const protocol = port.Protocol === 'tcp' ? '' : ` (${port.Protocol})`;
      return `port '${port.PublishedPort}' is already in use by service '${spec.Name}' (${id}) as ${how} port${protocol}`;
    }
  }
  return undefined;
}

/** The number that the service has for the same name, protocol and target, unless it gave it another use. */
const heldPort = (port: AllottedPort, held: readonly AllottedPort[], taken: ReadonlySet<string>): number | undefined =>
  held.find(
    (candidate) =>
      candidate.PublishMode === 'ingress' &&
      candidate.PublishedPort !== 0 &&
      candidate.Name === port.Name &&
      candidate.Protocol === port.Protocol &&
      candidate.TargetPort === port.TargetPort &&
      !taken.has(portKey(candidate)),
  )?.PublishedPort;

function lowestFree(port: AllottedPort, taken: ReadonlySet<string>): number | undefined {
  for (let number = FIRST_DYNAMIC; number <= LAST_DYNAMIC; number++) {
    if (!taken.has(portKey({ ...port, PublishedPort: number }))) return number;
  }
  return undefined;
}
