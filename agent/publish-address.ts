import { holdsAddress, parseIpRange } from '../proto/engine/ip-range.js';

/** All addresses of 127.0.0.0/8 are there, though hosts list one. */
const LOOPBACK = { bits: 32, address: 127n << 24n, prefix: 8 } as const;

/**
 * Which of the addresses that a node has, `present`, a port is published on that asks for `wanted`:
 * an address, or a CIDR block, of which it gets all that are within.
 */
export function publishAddresses(wanted: string, present: readonly string[]): readonly string[] {
  if (wanted === '0.0.0.0' || wanted === '::' || holdsAddress(LOOPBACK, wanted)) return [wanted];
  return present.filter((address) => isWithin(wanted, address));
}

/** Whether `address` is one of those that are asked for. */
export function isWithin(wanted: string, address: string): boolean {
  const range = parseIpRange(wanted);
  return range !== undefined && holdsAddress(range, address);
}

/** Why the port is not published on a node that has none of them. */
export const whyNowhere = (wanted: string): string =>
  `not published on this node: it has no address ${wanted.includes('/') ? `within ${wanted}` : wanted}`;
