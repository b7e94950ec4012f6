import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';
import type { ProtoGrpcType as AuthorityTypes } from './generated/certificate_authority.js';
import type { ProtoGrpcType as DispatcherTypes } from './generated/dispatcher.js';
import type { ProtoGrpcType as StreamsTypes } from './generated/streams.js';

export interface ClusterServices {
  readonly CertificateAuthority: AuthorityTypes['bale']['v1']['CertificateAuthority'];
  readonly Dispatcher: DispatcherTypes['bale']['v1']['Dispatcher'];
  readonly Streams: StreamsTypes['bale']['v1']['Streams'];
}

let services: ClusterServices | undefined;

/** The services of the cluster port, read from the .proto files beside this module on first use. */
export function clusterServices(): ClusterServices {
  if (services === undefined) {
    const files = ['certificate_authority.proto', 'dispatcher.proto', 'streams.proto'];
    // The options of scripts/generate-proto-types.mjs: the generated types hold only with them.
    const definition = loadSync(
      files.map((file) => fileURLToPath(new URL(file, import.meta.url))),
      { longs: Number, enums: String, defaults: true, oneofs: true, arrays: true },
    );
    const loaded: unknown = loadPackageDefinition(definition);
    // grpc-js types what it makes as a bag of anything; the generated types say what is in it.
    const { bale } = loaded as AuthorityTypes & DispatcherTypes & StreamsTypes;
    const { CertificateAuthority, Dispatcher, Streams } = bale.v1;
    services = { CertificateAuthority, Dispatcher, Streams };
  }
  return services;
}
