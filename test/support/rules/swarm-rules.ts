import { CREATE, invalid, notNumber, precondition, type Rule, service, STALE } from './rule.js';
import { WRONG_VALUE } from './reasons.js';

/** Sections 1.7, 1.8 and 1.12: nodes, the swarm, statuses. */
export const SWARM_RULES: readonly Rule[] = [
  // 1.7 NodeSpec
  {
    section: '1.7',
    rule: 'a manager is not removed',
    request: 'DELETE /nodes/{nodes/self}',
    engine: precondition(
      'node {nodes/self} is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal',
    ),
  },
  {
    section: '1.7',
    rule: 'a manager is not removed by force either',
    request: 'DELETE /nodes/{nodes/self}?force=1',
    engine: precondition(
      'node {nodes/self} is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal',
    ),
  },
  {
    section: '1.7',
    rule: 'the last manager is not demoted',
    request: 'POST /nodes/{nodes/self}/update?version={nodes/self@}',
    body: { Role: 'worker', Availability: 'active' },
    engine: precondition('attempting to demote the last manager of the swarm'),
  },
  {
    section: '1.7',
    rule: 'a role is worker or manager',
    request: 'POST /nodes/{nodes/self}/update?version={nodes/self@}',
    body: { Role: 'king', Availability: 'active' },
    engine: { status: 400, message: 'invalid Role: "king"' },
    bale: {
      status: 400,
      message: 'invalid NodeSpec: Role: must be one of worker, manager, got "king"',
      because: WRONG_VALUE,
    },
  },
  {
    section: '1.7',
    rule: 'availability is active, pause or drain',
    request: 'POST /nodes/{nodes/self}/update?version={nodes/self@}',
    body: { Role: 'manager', Availability: 'away' },
    engine: { status: 400, message: 'invalid Availability: "away"' },
    bale: {
      status: 400,
      message: 'invalid NodeSpec: Availability: must be one of active, pause, drain, got "away"',
      because: WRONG_VALUE,
    },
  },
  {
    section: '1.10',
    rule: 'node: a stale version loses',
    request: 'POST /nodes/{nodes/self}/update?version=0',
    body: { Role: 'manager', Availability: 'active' },
    engine: STALE,
  },
  {
    section: '1.10',
    rule: 'node: an update names a version',
    request: 'POST /nodes/{nodes/self}/update',
    body: { Role: 'manager', Availability: 'active' },
    engine: notNumber('node', ''),
  },
  {
    section: '1.10',
    rule: 'node: none of that name or id',
    request: 'GET /nodes/nosuch',
    engine: { status: 404, message: 'node nosuch not found' },
  },
  {
    section: '1.10',
    rule: 'node: none to remove',
    request: 'DELETE /nodes/nosuch',
    engine: { status: 404, message: 'node nosuch not found' },
  },

  // 1.8 SwarmSpec
  {
    section: '1.8',
    rule: 'a swarm is named default',
    request: 'POST /swarm/update?version={swarm/@}',
    body: { Name: 'mine' },
    engine: { status: 400, message: 'swarm spec must be named "default"' },
  },
  {
    section: '1.8',
    rule: 'certificates live an hour at least',
    request: 'POST /swarm/update?version={swarm/@}',
    body: { Name: 'default', CAConfig: { NodeCertExpiry: 3_599e9 } },
    engine: invalid('minimum certificate expiry time is: 1h0m0s'),
  },
  {
    section: '1.8',
    rule: 'a heartbeat period is not negative',
    request: 'POST /swarm/update?version={swarm/@}',
    body: { Name: 'default', Dispatcher: { HeartbeatPeriod: -1 } },
    engine: invalid('heartbeat time period cannot be a negative duration'),
  },
  {
    section: '1.10',
    rule: 'swarm: a stale version loses',
    request: 'POST /swarm/update?version=0',
    body: { Name: 'default' },
    engine: STALE,
  },
  {
    section: '1.10',
    rule: 'swarm: an update names a version',
    request: 'POST /swarm/update',
    body: { Name: 'default' },
    engine: notNumber('swarm', ''),
  },

  // 1.12 statuses
  {
    section: '1.12',
    rule: 'a name is taken once',
    request: CREATE,
    body: service({ Name: 'web' }),
    engine: {
      status: 409,
      message:
        'rpc error: code = AlreadyExists desc = name conflicts with an existing object: service web already exists',
    },
  },
  {
    section: '1.12',
    rule: 'a node is in one swarm',
    request: 'POST /swarm/init',
    body: { ListenAddr: '127.0.0.1:2377' },
    engine: {
      status: 503,
      message:
        'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.',
    },
  },
  {
    section: '1.12',
    rule: 'a node joins one swarm',
    request: 'POST /swarm/join',
    body: { RemoteAddrs: ['127.0.0.1:2377'], JoinToken: 'x' },
    engine: {
      status: 503,
      message:
        'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.',
    },
  },
  {
    section: '1.12',
    rule: 'the last manager leaves by force only',
    request: 'POST /swarm/leave',
    engine: {
      status: 503,
      message:
        'You are attempting to leave the swarm on a node that is participating as a manager. Removing the last manager erases all current state of the swarm. Use `--force` to ignore this message. ',
    },
  },
  {
    section: '1.12',
    rule: 'what is not locked is not unlocked',
    request: 'POST /swarm/unlock',
    body: { UnlockKey: 'x' },
    engine: { status: 409, message: 'swarm is not locked' },
  },
  {
    section: '1.12',
    rule: 'no such page',
    request: 'GET /services/web/nothing',
    engine: { status: 404, message: 'page not found' },
  },
  {
    section: '1.12',
    rule: 'no such method',
    request: 'PUT /services/web',
    engine: { status: 404, message: 'page not found' },
  },
  {
    section: '1.12',
    rule: 'a version too new',
    request: 'GET /v1.99/services',
    engine: { status: 400, message: 'client version 1.99 is too new. Maximum supported API version is 1.41' },
  },
  {
    section: '1.12',
    rule: 'a version too old',
    request: 'GET /v1.1/services',
    engine: {
      status: 400,
      message:
        'client version 1.1 is too old. Minimum supported API version is 1.12, please upgrade your client to a newer version',
    },
  },
];
