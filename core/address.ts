import { isIP } from 'node:net';
import { BaleError } from './errors.js';

export interface HostPort {
  /** An IP address or a host name; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Parses `host:port`, `[v6]:port`, `host` or `:port`.
 * Throws BALE_ADDRESS_INVALID naming `field` and the text.
 */
export function parseHostPort(text: string, defaults: { host?: string; port: number }, field: string): HostPort {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:]*))(?::(?<port>\d+))?$/.exec(text);
  const bareV6 = isIP(text) === 6;
  const host = bareV6 ? text : (match?.groups?.v6 ?? match?.groups?.host);
  const port = match?.groups?.port === undefined || bareV6 ? defaults.port : Number(match.groups.port);
  const named = host === undefined || host === '' ? defaults.host : host;
  if (named === undefined || (!bareV6 && match === null) || port < 1 || port > 65535) {
    throw new BaleError(`${field}: "${text}" is not an address of the form HOST:PORT`, {
      kind: 'invalid',
      code: 'BALE_ADDRESS_INVALID',
    });
  }
  return { host: named, port };
}

export const formatHostPort = ({ host, port }: HostPort): string =>
  isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
