import type { PortConfig } from './service-spec.js';

/** Service label: the address, or the CIDR block with the addresses, on which the ports of a target are published. */
export const publishAddressLabel = (targetPort: number): string => `bale.port.${targetPort}.ip`;

/** What the service's labels say of it; undefined where they say nothing. */
export function publishAddress(labels: Readonly<Record<string, string>>, targetPort: number): string | undefined {
  const label = publishAddressLabel(targetPort);
  return Object.hasOwn(labels, label) ? labels[label] : undefined;
}

/** A port in host mode as a task gets it. */
export interface HostPort extends PortConfig {
  /** bale's own: the address, or CIDR block, that its service's label asks for. */
  HostIp?: string;
}
