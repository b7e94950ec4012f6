import { REASONS } from './reasons.js';
import type { Step } from './step.js';

const INIT = 'swarm init --advertise-addr {address} --listen-addr {own}';
const ONE_MANAGER = 'a bale cluster has one manager in this version';
const ROOT = "the cluster's root is made at init and cannot be replaced in this version";

/** From no swarm to one of three nodes. */
export const SWARM_BEGIN: readonly Step[] = [
  { on: 'h2', run: 'swarm leave' },
  'node ls',
  'service ls',
  'swarm join-token worker',
  'swarm update --task-history-limit 3',
  'swarm unlock-key',
  'swarm ca',
  `${INIT} --availability away`,
  { run: `${INIT} --data-path-port 80`, refused: 'DataPathPort' },
  { run: `${INIT} --data-path-addr 10.9.9.9`, refused: 'DataPathAddr' },
  { run: `${INIT} --default-addr-pool 10.9.0.0/16`, refused: 'DefaultAddrPool' },
  { run: `${INIT} --default-addr-pool 10.9.0.0/16 --default-addr-pool-mask-length 26`, refused: 'is not implemented' },
  { run: `${INIT} --external-ca protocol=cfssl,url=https://ca.test`, refused: ROOT },
  { run: `${INIT} --max-snapshots 3`, refused: ONE_MANAGER },
  { run: `${INIT} --snapshot-interval 5000`, refused: ONE_MANAGER },
  { run: `${INIT} --autolock`, refused: 'AutoLockManagers is not implemented' },
  { run: `${INIT} --force-new-cluster`, refused: 'ForceNewCluster is not implemented' },
  `${INIT} --availability active --cert-expiry 720h --dispatcher-heartbeat 5s --task-history-limit 4`,
  INIT,
  'swarm join-token worker',
  'swarm join-token manager',
  'swarm join-token -q worker',
  'swarm join-token visitor',
  'swarm join-token --rotate worker',
  'swarm join-token --rotate --quiet manager',
  'swarm unlock-key',
  'swarm unlock-key --quiet',
  { run: 'swarm unlock', input: 'SWMKEY-1-x\n' },
  'swarm ca',
  'swarm ca --quiet',
  'swarm ca --cert-expiry 720h',
  { run: 'swarm ca --rotate --detach', refused: ROOT },
  { run: 'swarm ca --rotate --ca-cert {dir}/ca.pem --ca-key {dir}/ca.key', refused: ROOT },
  { run: 'swarm ca --rotate --ca-cert {dir}/ca.pem --external-ca protocol=cfssl,url=https://ca.test', refused: ROOT },
  'swarm update',
  'swarm update --task-history-limit 5 --cert-expiry 2160h --dispatcher-heartbeat 5s',
  'swarm update --cert-expiry 1m',
  { run: 'swarm update --autolock', refused: 'AutoLockManagers is not implemented' },
  'swarm unlock-key --rotate',
  { run: 'swarm update --max-snapshots 3', refused: ONE_MANAGER },
  { run: 'swarm update --snapshot-interval 5000', refused: ONE_MANAGER },
  { run: 'swarm update --external-ca protocol=cfssl,url=https://ca.test', refused: ROOT },
  "info -f '{{json .Swarm.Cluster.Spec}} {{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{.Swarm.Nodes}}'",
  {
    on: 'h2',
    run: 'swarm join --token SWMTKN-1-wrong {address}',
    differs: { why: REASONS.joinToken, bale: /the join token is not valid: it must have four parts/ },
  },
  // Swarm would be asked in vain: it takes 10 s.
  { on: 'h2', run: 'swarm join {address}', refused: 'the join token is not valid: it does not begin with SWMTKN-' },
  { on: 'h2', run: 'swarm join --token {worker} --data-path-addr 10.9.9.9 {address}', refused: 'DataPathAddr' },
  { on: 'h2', run: 'swarm join --token {worker} --advertise-addr {own} --listen-addr {own} {address}' },
  { on: 'h2', run: 'swarm join --token {worker} {address}' },
  { on: 'h3', run: 'swarm join --token {worker} --availability pause {address}' },
  { wait: 'node', of: 'h2', state: 'ready' },
  { wait: 'node', of: 'h3', state: 'ready' },
  { on: 'h2', run: 'node ls' },
  { on: 'h2', run: 'service create {image}' },
  { on: 'h2', run: 'swarm join-token worker' },
  { on: 'h2', run: "info -f '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{.Swarm.Error}}'" },
];

/** How the cluster ends. */
export const SWARM_END: readonly Step[] = [
  'swarm leave',
  { on: 'h2', run: 'swarm leave' },
  { on: 'h2', run: 'swarm leave' },
  'swarm leave --force',
  'node ls',
  "info -f '{{.Swarm.LocalNodeState}} {{.Swarm.NodeID}}'",
];
