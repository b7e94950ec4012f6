import { BaleError } from '../../core/errors.js';
import { decode } from './decode.js';
import { always, document, field, refused, struct } from './document-shape.js';
import { count, flag, limited, list, text, word, type Shape } from './shape.js';
import type { SwarmInitRequest, SwarmJoinRequest, SwarmSpec } from './swarm-document.js';
import { checkSwarm, swarmSpecShape } from './swarm-spec-shape.js';

const NO_OVERLAY = 'bale makes no overlay networks in this version';
const DATA_PATH = 'routed traffic goes to the address of the mesh, which the daemon is started with';

/** A number that only its default may be sent for. */
const onlyDefault = (value: number, because: string): Shape<number> =>
  limited(count, (given) => given === 0 || given === value, because);

const availability = word('active', 'pause', 'drain');

/** A request whose Spec has every field. */
export type CompleteInitRequest = Omit<SwarmInitRequest, 'Spec'> & { Spec: SwarmSpec };

/** What this version does with each field of `POST /swarm/init`. */
export const swarmInitShape = document<CompleteInitRequest>({
  ListenAddr: always(text, ''),
  AdvertiseAddr: always(text, ''),
  DataPathAddr: always(
    limited(text, (address) => address === '', DATA_PATH),
    '',
  ),
  DataPathPort: field(onlyDefault(4_789, NO_OVERLAY)),
  DefaultAddrPool: refused(NO_OVERLAY),
  SubnetSize: field(onlyDefault(24, NO_OVERLAY)),
  ForceNewCluster: always(
    limited(flag, (force) => !force, 'a cluster has one manager in this version: start its daemon again instead'),
    false,
  ),
  Availability: always<SwarmInitRequest['Availability']>(availability, ''),
  AutoLockManagers: always(
    limited(flag, (lock) => !lock, "a manager's state is not encrypted at rest in this version"),
    false,
  ),
  Spec: struct(swarmSpecShape),
});

/** What this version does with each field of `POST /swarm/join`. */
export const swarmJoinShape = document<SwarmJoinRequest>({
  ListenAddr: always(text, ''),
  AdvertiseAddr: always(text, ''),
  DataPathAddr: always(
    limited(text, (address) => address === '', DATA_PATH),
    '',
  ),
  RemoteAddrs: always(list(text), []),
  JoinToken: always(text, ''),
  Availability: always<SwarmJoinRequest['Availability']>(availability, ''),
});

/** The body of `/swarm/init`. Throws BALE_REQUEST_INVALID or BALE_SPEC_INVALID (400), FieldRefused (501). */
export function decodeSwarmInit(body: unknown): CompleteInitRequest {
  const request = decode('SwarmInitRequest', swarmInitShape, body);
  checkSwarm(request.Spec);
  return request;
}

/** The body of `/swarm/join`. Throws BALE_REQUEST_INVALID (400), FieldRefused (501). Addresses and token are not looked into. */
export function decodeSwarmJoin(body: unknown): SwarmJoinRequest {
  const request = decode('SwarmJoinRequest', swarmJoinShape, body);
  if (request.RemoteAddrs.length === 0) {
    throw new BaleError('at least 1 RemoteAddr is required to join', {
      kind: 'invalid',
      code: 'BALE_REQUEST_INVALID',
    });
  }
  return request;
}
