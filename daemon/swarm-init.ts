import { type HostPort, formatHostPort, parseHostPort } from '../core/address.js';
import { saveIdentity } from '../core/identity-file.js';
import { IdentitySource } from '../core/identity.js';
import type { ChangeRequest } from '../manager/audit/audit-record.js';
import type { Manager } from '../manager/manager-types.js';
import { chooseAdvertiseAddress, isUnspecified, systemAddress } from './advertise-address.js';
import type { NodeSurroundings } from './cluster-node.js';
import { startMemberManager } from './cluster-node.js';
import { makeDirectory } from './make-directory.js';
import { checkFree, machineInterfaces } from './machine-addresses.js';
import type { MembershipRecord } from './membership-record.js';
import type { DaemonOptions } from './options.js';

/** A member that is on disk but for its record: writing that commits it. */
export interface PreparedMember {
  readonly record: MembershipRecord;
  readonly identity: IdentitySource;
  readonly manager: Manager | undefined;
}

/**
 * `POST /swarm/init`: makes a cluster, with this node as its manager, and starts the manager.
 * When it throws, nothing runs; what lies on disk is the caller's to wipe.
 */
export async function prepareInit(
  body: unknown,
  change: ChangeRequest,
  surroundings: NodeSurroundings,
  signal: AbortSignal,
): Promise<PreparedMember> {
  const { options, data, clock } = surroundings;
  const { decodeSwarmInit } = await import('../proto/engine/swarm-request.js');
  const request = decodeSwarmInit(body);
  const listen = listenAddress(request.ListenAddr, options);
  const advertise = advertiseAddress(request.AdvertiseAddr, listen.address, options);
  await checkFree(listen.address, listen.field);
  await checkFree(options.meshAddr, '--mesh-addr');

  const { initCluster } = await import('../manager/init-cluster.js');
  await makeDirectory(data.managerDir, 0o700);
  const advertiseAddr = formatHostPort(advertise);
  const nodeIdentity = await initCluster({
    stateDir: data.managerDir,
    spec: request.Spec,
    availability: request.Availability === '' ? 'active' : request.Availability,
    advertiseAddr,
    change,
    clock,
    signal,
  });
  await saveIdentity(data.identityFile, nodeIdentity);
  const identity = new IdentitySource(nodeIdentity);
  const record: MembershipRecord = {
    nodeId: nodeIdentity.nodeId,
    clusterId: nodeIdentity.clusterId,
    role: 'manager',
    advertiseHost: advertise.host,
    advertisePort: advertise.port,
    ...(listen.requested ? { listenAddr: formatHostPort(listen.address) } : {}),
    managers: ownManager(advertise, listen.address),
  };
  return { record, identity, manager: await startMemberManager(record, identity, surroundings) };
}

/** How a manager's own agent reaches it: like the others, else where it listens when no route leads to itself. */
function ownManager(advertise: HostPort, listen: HostPort): readonly string[] {
  const local = isUnspecified(listen.host) ? '127.0.0.1' : listen.host;
  return [...new Set([formatHostPort(advertise), formatHostPort({ host: local, port: listen.port })])];
}

interface ListenAddress {
  readonly address: HostPort;
  readonly requested: boolean;
  readonly field: string;
}

/** The docker CLI sends 0.0.0.0:2377 unless told otherwise; that, like nothing, means the daemon's own option. */
function listenAddress(requested: string, options: DaemonOptions): ListenAddress {
  if (requested === '' || requested === '0.0.0.0:2377' || requested === '0.0.0.0') {
    return { address: options.listenAddr, requested: false, field: '--listen-addr' };
  }
  const address = parseHostPort(requested, { host: '0.0.0.0', port: options.listenAddr.port }, 'ListenAddr');
  return { address, requested: true, field: 'ListenAddr' };
}

function advertiseAddress(requested: string, listen: HostPort, options: DaemonOptions): HostPort {
  const interfaces = machineInterfaces();
  const wanted = requested === '' ? options.advertiseAddr : requested;
  return (
    chooseAdvertiseAddress({ wanted, listen, interfaces }) ?? { host: systemAddress(interfaces), port: listen.port }
  );
}
