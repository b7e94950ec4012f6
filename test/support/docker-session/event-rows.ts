import type { Step } from './step.js';

/** A change that docker's CLI has no verb for: labels of a secret or config. */
export interface Relabel {
  readonly relabel: 'secrets' | 'configs';
  readonly of: string;
}

const completed = (of: string): Step => ({ wait: 'rollout', of, state: 'completed' });

/** Changes of each kind of object of a swarm, each ended before the next begins. */
export const EVENT_ROWS: readonly (Step | Relabel)[] = [
  { on: 'h2', run: 'swarm join --token {worker} --listen-addr {own} {address}' },
  { wait: 'node', of: 'h2', state: 'ready' },
  { on: 'h3', run: 'swarm join --token {worker} --listen-addr {own} {address}' },
  { wait: 'node', of: 'h3', state: 'ready' },
  'node update --label-add zone=a h2',
  'node update --availability drain h3',
  'node update --availability pause h3',
  'node update --availability active h3',
  'secret create one {dir}/payload',
  'config create one {dir}/payload',
  { relabel: 'secrets', of: 'one' },
  { relabel: 'configs', of: 'one' },
  'service create --name web --replicas 1 -p {p}8080:80 --update-monitor 100ms --update-parallelism 0 --rollback-monitor 100ms --rollback-parallelism 0 --no-resolve-image {image}',
  'service scale web=2',
  'service update --label-add a=b web',
  'service update --image bale-test:2 --no-resolve-image web',
  completed('web'),
  'service update --force web',
  completed('web'),
  'service rollback web',
  { wait: 'rollout', of: 'web', state: 'rollback_completed' },
  'service scale web=1',
  'service create --name every --mode global --no-resolve-image --update-monitor 100ms --update-parallelism 0 {image}',
  'service update --detach --env-add A=b every',
  completed('every'),
  'service create --name job --mode replicated-job --replicas 2 --no-resolve-image {image} true',
  'service rm every job',
  'service rm web',
  'secret rm one',
  'config rm one',
  { on: 'h3', run: 'swarm leave' },
  { wait: 'node', of: 'h3', state: 'down' },
  'node rm h3',
];
