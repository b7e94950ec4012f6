import type { SessionState } from '../agent/agent-types.js';
import { pause } from '../core/abort.js';
import { formatHostPort, type HostPort, parseHostPort } from '../core/address.js';
import { BaleError } from '../core/errors.js';
import { saveIdentity } from '../core/identity-file.js';
import { IdentitySource } from '../core/identity.js';
import { chooseAdvertiseAddress } from './advertise-address.js';
import type { NodeSurroundings } from './cluster-node.js';
import { addressTowards, checkFree, machineInterfaces } from './machine-addresses.js';
import type { DaemonOptions } from './options.js';
import { joinTimedOut } from './refusals.js';
import type { PreparedMember } from './swarm-init.js';

const CLUSTER_PORT = 2377;

/**
 * `POST /swarm/join`: gets an identity from a manager. Refusals of the manager come as they are. The key stays in
 * `data.joinKeyFile`, which is the caller's to remove once the node is a member.
 * When it throws, what lies on disk is the caller's to wipe.
 */
export async function prepareJoin(
  body: unknown,
  { options, data }: NodeSurroundings,
  signal: AbortSignal,
): Promise<PreparedMember> {
  const { decodeSwarmJoin } = await import('../proto/engine/swarm-request.js');
  const request = decodeSwarmJoin(body);
  const managers = request.RemoteAddrs.map((addr) => parseHostPort(addr, { port: CLUSTER_PORT }, 'RemoteAddrs'));
  const advertise = await advertiseAddress(request.AdvertiseAddr, managers, options);
  await checkFree(options.meshAddr, '--mesh-addr');

  const [{ enrol }, { dropJoinKey, holdJoinKey }] = await Promise.all([
    import('../agent/identity/enrolment.js'),
    import('../agent/identity/join-key.js'),
  ]);
  const nodeIdentity = await enrol({
    managers: managers.map(formatHostPort),
    token: request.JoinToken,
    availability: request.Availability === '' ? 'active' : request.Availability,
    privateKey: () => holdJoinKey(data.joinKeyFile),
    signal,
  }).catch(async (error: unknown) => {
    if (signal.aborted) throw noAnswer(managers, error);
    if (isRefusal(error)) await dropJoinKey(data.joinKeyFile);
    throw error;
  });
  await saveIdentity(data.identityFile, nodeIdentity);
  return {
    record: {
      nodeId: nodeIdentity.nodeId,
      clusterId: nodeIdentity.clusterId,
      role: nodeIdentity.role,
      advertiseHost: advertise.host,
      advertisePort: advertise.port,
      managers: managers.map(formatHostPort),
    },
    identity: new IdentitySource(nodeIdentity),
    manager: undefined,
  };
}

/** Whether a manager has said no: then it keeps no node for this key. Else it may have one, whose answer was lost. */
const isRefusal = (error: unknown): boolean =>
  error instanceof BaleError && error.kind !== 'unavailable' && error.kind !== 'internal';

const noAnswer = (managers: readonly HostPort[], cause: unknown): BaleError =>
  new BaleError(`no manager answered in time at ${managers.map(formatHostPort).join(', ')}`, {
    kind: 'unavailable',
    code: 'BALE_MANAGER_UNREACHABLE',
    cause,
  });

/** As asked for, else the address from which this machine reaches the manager. */
async function advertiseAddress(
  requested: string,
  managers: readonly HostPort[],
  options: DaemonOptions,
): Promise<HostPort> {
  const wanted = requested === '' ? options.advertiseAddr : requested;
  const chosen = chooseAdvertiseAddress({ wanted, listen: options.meshAddr, interfaces: machineInterfaces() });
  if (chosen !== undefined) return { host: chosen.host, port: options.meshAddr.port };
  const [first] = managers;
  return { host: first === undefined ? '' : await addressTowards(first), port: options.meshAddr.port };
}

/** How often a new session is looked at, ms. A join takes a few of these. */
const LOOK_EVERY_MS = 10;

/**
 * Resolves once the session is up. Throws the cluster's refusal, or BALE_JOIN_TIMEOUT when `signal`
 * aborts first: the agent goes on trying then.
 */
export async function waitForSession(node: { readonly session: SessionState }, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { session } = node;
    switch (session.kind) {
      case 'connected':
        return;
      case 'refused':
        throw session.error;
      case 'connecting':
        if (signal.aborted) throw joinTimedOut();
        await pause(LOOK_EVERY_MS, signal).catch(() => undefined);
    }
  }
}
