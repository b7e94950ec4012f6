import { CREATE, type Outcome, type Rule, service } from './rule.js';

const NO_MANAGER: Outcome = {
  status: 503,
  message:
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
};
const NOT_PART: Outcome = { status: 503, message: 'This node is not part of a swarm' };
const NAMED = { Name: 'key', Data: 'AAAA' };

const answers = (rule: string, request: string, engine: Outcome, body?: unknown): Rule => ({
  ...{ section: '1.12', rule: `${rule} without a swarm`, request, engine },
  ...(body === undefined ? {} : { body }),
});

/** Section 1.12: a node that is in no swarm. */
export const NO_SWARM_RULES: readonly Rule[] = [
  answers('inspect', 'GET /swarm', NO_MANAGER),
  answers('update', 'POST /swarm/update?version=1', NO_MANAGER, { Name: 'default' }),
  answers('the unlock key', 'GET /swarm/unlockkey', NO_MANAGER),
  answers('unlock', 'POST /swarm/unlock', NO_MANAGER, { UnlockKey: 'x' }),
  answers('leave', 'POST /swarm/leave', NOT_PART),
  answers('leave by force', 'POST /swarm/leave?force=1', NOT_PART),
  ...['nodes', 'services', 'tasks', 'secrets', 'configs'].flatMap((noun) => [
    answers(`a list of ${noun}`, `GET /${noun}`, NO_MANAGER),
    answers(`one of ${noun}`, `GET /${noun}/x`, NO_MANAGER),
  ]),
  ...['nodes', 'services', 'secrets', 'configs'].map((noun) =>
    answers(`removal of ${noun}`, `DELETE /${noun}/x`, NO_MANAGER),
  ),
  answers('a service', CREATE, NO_MANAGER, service()),
  answers('a secret', 'POST /secrets/create', NO_MANAGER, NAMED),
  answers('a config', 'POST /configs/create', NO_MANAGER, NAMED),
  answers('another service', 'POST /services/x/update?version=1', NO_MANAGER, service()),
  answers('another node', 'POST /nodes/x/update?version=1', NO_MANAGER, { Role: 'worker', Availability: 'active' }),
  answers('another secret', 'POST /secrets/x/update?version=1', NO_MANAGER, NAMED),
  answers(
    'a join of nobody',
    'POST /swarm/join',
    { status: 400, message: 'at least 1 RemoteAddr is required to join' },
    { ListenAddr: '0.0.0.0:2377', JoinToken: 'x' },
  ),
];
