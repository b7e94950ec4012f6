import { isWithin, publishAddresses } from '../publish-address.js';

/** A published port, and which of the node's addresses it is for; without `listenOn` it is served where the daemon's --publish-addr says. */
export interface WantedPort {
  readonly publishedPort: number;
  /** An address or a CIDR block. */
  readonly listenOn?: string;
}

/** One socket. */
export interface ListenAddress {
  readonly publishedPort: number;
  /** Absent: where --publish-addr says. */
  readonly host?: string;
}

/** What to do with the listeners of the published ports. */
export interface ListenerAction extends ListenAddress {
  readonly kind: 'open' | 'close';
  readonly reason: string;
}

/**
 * From the listeners that are open to those that are wanted; `present` are the addresses that the
 * node has now. Closes come first: a port that changed hands is free when it is opened again. A
 * listener stays when its address goes: nobody reaches it, and it serves at once when that is back.
 */
export function planListeners(
  open: readonly ListenAddress[],
  wanted: readonly WantedPort[],
  present: readonly string[],
): readonly ListenerAction[] {
  const ports = new Map(wanted.map((port) => [port.publishedPort, port]));
  const isOpen = new Set(open.map(listenName));
  return [
    ...open.flatMap((listener): readonly ListenerAction[] => {
      const reason = whyClose(ports.get(listener.publishedPort), listener);
      return reason === undefined ? [] : [{ ...addressOf(listener), kind: 'close', reason }];
    }),
    ...[...ports.values()]
      .flatMap((port) => addressesFor(port, present))
      .filter((address) => !isOpen.has(listenName(address)))
      .map((address) => ({ ...address, kind: 'open', reason: 'a service publishes it' }) as const),
  ];
}

/** That alone of what has an address. */
export const addressOf = ({ publishedPort, host }: ListenAddress): ListenAddress => ({
  publishedPort,
  ...(host === undefined ? {} : { host }),
});

/** A name for it that no other has. */
export const listenName = ({ publishedPort, host }: ListenAddress): string =>
  host === undefined ? String(publishedPort) : `${publishedPort} ${host}`;

function whyClose(port: WantedPort | undefined, { host }: ListenAddress): string | undefined {
  if (port === undefined) return 'no service publishes it any more';
  const stays = port.listenOn === undefined ? host === undefined : host !== undefined && isWithin(port.listenOn, host);
  return stays ? undefined : 'it is published on another address now';
}

function addressesFor({ publishedPort, listenOn }: WantedPort, present: readonly string[]): readonly ListenAddress[] {
  if (listenOn === undefined) return [{ publishedPort }];
  return publishAddresses(listenOn, present).map((host) => ({ publishedPort, host }));
}
