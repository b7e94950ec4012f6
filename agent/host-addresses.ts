import { networkInterfaces } from 'node:os';

/**
 * The addresses of this machine that are up, IPv4 and IPv6, without those of a link alone (fe80::),
 * on which nobody can listen without naming the link. None where the system does not tell.
 */
export function hostAddresses(): readonly string[] {
  try {
    return Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .map(({ address }) => address)
      .filter((address) => !/^fe[89ab]/i.test(address));
  } catch {
    return [];
  }
}
