import { credentials, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import { createSecureContext } from 'node:tls';
import { formatHostPort, parseHostPort } from '../core/address.js';
import type { NodeIdentity } from '../core/identity.js';

const DEFAULT_PORT = 2377;

/** The gRPC target of a manager's address (host:port). Throws BALE_ADDRESS_INVALID. */
export const targetOf = (addr: string): string =>
  `dns:${formatHostPort(parseHostPort(addr, { port: DEFAULT_PORT }, 'address of a manager'))}`;

/** Every channel is its caller's own, used once and closed: nothing is shared, retried or sent through a proxy. */
export const channelOptions = (limits: { readonly receive: number }, serverName: string): ChannelOptions => ({
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_channelz': 0,
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  // A manager whose machine vanished is noticed although it sends nothing.
  'grpc.keepalive_time_ms': 2_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.max_receive_message_length': limits.receive,
  'grpc.max_send_message_length': -1,
  'grpc.ssl_target_name_override': serverName,
});

const TLS = { minVersion: 'TLSv1.3' } as const;

/** Encrypted to whoever answers: only for what is public, before the root is known. */
export const unverifiedCredentials = (): ChannelCredentials =>
  credentials.createFromSecureContext(createSecureContext(TLS), { rejectUnauthorized: false });

/** Encrypted to a server that the root (PEM) vouches for, showing no certificate. */
export const joinerCredentials = (trustRoot: string): ChannelCredentials =>
  credentials.createFromSecureContext(createSecureContext({ ...TLS, ca: trustRoot }));

/** Both sides vouched for by the cluster's root. */
export const memberCredentials = ({ trustRoot, certificate, privateKey }: NodeIdentity): ChannelCredentials =>
  credentials.createFromSecureContext(
    createSecureContext({ ...TLS, ca: trustRoot, cert: certificate, key: privateKey }),
  );
