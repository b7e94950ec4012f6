import { readFileSync } from 'node:fs';

/** The addresses of IPv6 that this network namespace has; no such file where the kernel has no IPv6. */
const IPV6_ADDRESSES = '/proc/net/if_inet6';

/**
 * The address to listen on so that clients of IPv4 and IPv6 are served: all addresses of IPv4
 * (`0.0.0.0`, or nothing) become all of both (`::`) where the host has IPv6. Others stay.
 */
export function listenHost(wanted: string, hasIpv6 = hostHasIpv6): string {
  if (wanted !== '' && wanted !== '0.0.0.0') return wanted;
  return hasIpv6() ? '::' : '0.0.0.0';
}

function hostHasIpv6(): boolean {
  try {
    return readFileSync(IPV6_ADDRESSES, 'latin1') !== '';
  } catch {
    return false;
  }
}
