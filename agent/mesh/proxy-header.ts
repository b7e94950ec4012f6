import type { PublishedPort } from '../../proto/endpoint-table.js';
import { parseIp, plainAddress } from './ip-bytes.js';

/** One end of a client's connection; addresses as node:net gives them. */
export interface ProxyEnd {
  readonly address: string;
  readonly port: number;
}

/** 0D0A 0D0A 00 0D0A "QUIT" 0A: no other protocol begins so. */
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
/** Version 2, command PROXY. */
const PROXY = 0x21;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
const UNSPECIFIED = 0x00;

/**
 * The header of the PROXY protocol (haproxy.org/download/2.6/doc/proxy-protocol.txt) that tells a
 * replica who its client is and which address it came to. IPv4 addresses within IPv6 are written as
 * IPv4. Addresses that are not known are told as such, in the way of each version.
 */
export function proxyHeader(
  version: NonNullable<PublishedPort['proxyProtocol']>,
  source: ProxyEnd,
  destination: ProxyEnd,
): Buffer {
  const from = parseIp(source.address);
  const to = parseIp(destination.address);
  const known = from !== undefined && to?.length === from.length;
  switch (version) {
    case 'v1': {
      if (!known) return Buffer.from('PROXY UNKNOWN\r\n');
      const family = from.length === 4 ? 'TCP4' : 'TCP6';
      const addresses = `${plainAddress(source.address)} ${plainAddress(destination.address)}`;
      return Buffer.from(`PROXY ${family} ${addresses} ${source.port} ${destination.port}\r\n`);
    }
    case 'v2': {
      if (!known) return Buffer.concat([SIGNATURE, Buffer.from([PROXY, UNSPECIFIED, 0, 0])]);
      const ports = Buffer.alloc(4);
      ports.writeUInt16BE(source.port, 0);
      ports.writeUInt16BE(destination.port, 2);
      const body = Buffer.concat([from, to, ports]);
      const family = from.length === 4 ? TCP_OVER_IPV4 : TCP_OVER_IPV6;
      return Buffer.concat([SIGNATURE, Buffer.from([PROXY, family, 0, body.length]), body]);
    }
  }
}
