import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { formatHostPort, type HostPort } from '../core/address.js';
import { BaleError, errorMessage } from '../core/errors.js';
import type { InterfaceAddress } from './advertise-address.js';

export const machineInterfaces = (): readonly InterfaceAddress[] =>
  Object.entries(networkInterfaces()).flatMap(([interfaceName, addresses]) =>
    (addresses ?? []).map(({ address, family, internal }) => ({ interfaceName, address, family, internal })),
  );

/** The address from which this machine reaches `remote`, by its routing table; nothing is sent. */
export async function addressTowards(remote: HostPort): Promise<string> {
  const socket = createSocket(isIP(remote.host) === 6 ? 'udp6' : 'udp4');
  try {
    const connected = once(socket, 'connect');
    socket.connect(remote.port, remote.host);
    await connected;
    return socket.address().address;
  } catch (error) {
    throw new BaleError(`RemoteAddrs: there is no way to ${formatHostPort(remote)}: ${errorMessage(error)}`, {
      kind: 'unavailable',
      code: 'BALE_MANAGER_UNREACHABLE',
      cause: error,
    });
  } finally {
    socket.close();
  }
}

/**
 * Tries an address before anything is changed, so that a port in use is one clear refusal.
 * Throws BALE_ADDRESS_IN_USE naming `option`.
 */
export async function checkFree(address: HostPort, option: string): Promise<void> {
  const probe = createServer();
  try {
    const listening = once(probe, 'listening');
    probe.listen({ host: address.host, port: address.port, exclusive: true });
    await listening;
  } catch (error) {
    throw new BaleError(`${option}: cannot listen on ${formatHostPort(address)}: ${errorMessage(error)}`, {
      kind: 'failed-precondition',
      code: 'BALE_ADDRESS_IN_USE',
      cause: error,
    });
  }
  await new Promise((resolve) => probe.close(resolve));
}
