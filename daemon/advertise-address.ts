import { isIP } from 'node:net';
import { type HostPort, parseHostPort } from '../core/address.js';
import { BaleError } from '../core/errors.js';

/** An address of this machine, as os.networkInterfaces() tells it. */
export interface InterfaceAddress {
  readonly interfaceName: string;
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly internal: boolean;
}

export interface AdvertiseQuestion {
  /** Of the request, else of the daemon's options: IP address or interface name, with or without a port. */
  readonly wanted?: string | undefined;
  /** Where the cluster port listens. */
  readonly listen: HostPort;
  readonly interfaces: readonly InterfaceAddress[];
}

/**
 * Chooses the address that the other nodes are told, as the Engine does: the one asked for, else the
 * one listened on, else the machine's only one. Undefined when nothing was asked for and there are
 * several, or none, to choose from; `systemAddress` says which.
 * Throws BALE_ADVERTISE_ADDR_INVALID.
 */
export function chooseAdvertiseAddress({ wanted, listen, interfaces }: AdvertiseQuestion): HostPort | undefined {
  if (wanted !== undefined && wanted !== '') {
    const { host, port } = parseHostPort(wanted, { port: listen.port }, 'AdvertiseAddr');
    if (isUnspecified(host)) throw notUsable(wanted);
    return { host: isIP(host) === 0 ? addressOfInterface(host, interfaces, wanted) : host, port };
  }
  return isUnspecified(listen.host) ? undefined : listen;
}

/** The only address of this machine that others can reach. Throws BALE_ADVERTISE_ADDR_AMBIGUOUS in the Engine's words. */
export function systemAddress(interfaces: readonly InterfaceAddress[]): string {
  const reachable = interfaces.filter(
    ({ internal, address, interfaceName }) => !internal && !isLinkLocal(address) && !isEngineInterface(interfaceName),
  );
  const v4 = reachable.filter(({ family }) => family === 'IPv4');
  const [first, second] = v4.length > 0 ? v4 : reachable;
  if (first === undefined) throw ambiguous("could not find the system's IP address");
  if (second === undefined) return first.address;
  throw ambiguous(
    'could not choose an IP address to advertise since this system has multiple addresses on ' +
      (first.interfaceName === second.interfaceName
        ? `interface ${first.interfaceName} (${first.address} and ${second.address})`
        : `different interfaces (${first.address} on ${first.interfaceName} and ${second.address} on ${second.interfaceName})`),
  );
}

function addressOfInterface(name: string, interfaces: readonly InterfaceAddress[], wanted: string): string {
  const own = interfaces.filter(({ interfaceName }) => interfaceName === name);
  if (own.length === 0) throw notUsable(wanted);
  for (const family of ['IPv4', 'IPv6'] as const) {
    const [first, second] = own.filter((one) => one.family === family && !isLinkLocal(one.address));
    if (second !== undefined && first !== undefined) {
      throw invalid(`interface ${name} has more than one ${family} address (${first.address} and ${second.address})`);
    }
    if (first !== undefined) return first.address;
  }
  throw invalid(`interface ${name} has no usable IPv4 or IPv6 address`);
}

export const isUnspecified = (host: string): boolean => host === '0.0.0.0' || host === '::';

const isLinkLocal = (address: string): boolean => /^(fe[89ab]|169\.254\.)/i.test(address);

/** Bridges and veths that the Engine makes: their addresses lead to containers, not to this machine. */
const isEngineInterface = (name: string): boolean => /^(docker0|docker_gwbridge|br-[0-9a-f]{12}|veth.+)$/.test(name);

const notUsable = (wanted: string): BaleError =>
  invalid(
    `"${wanted}": advertise address must be a non-zero IP address or network interface (with optional port number)`,
  );

const invalid = (message: string): BaleError =>
  new BaleError(message, { kind: 'invalid', code: 'BALE_ADVERTISE_ADDR_INVALID' });

const ambiguous = (message: string): BaleError =>
  new BaleError(message, { kind: 'invalid', code: 'BALE_ADVERTISE_ADDR_AMBIGUOUS' });
