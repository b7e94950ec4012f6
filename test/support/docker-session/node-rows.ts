import { REASONS } from './reasons.js';
import type { Step } from './step.js';

export const NODE_ROWS: readonly Step[] = [
  'node ls',
  'node ls -q --filter name=h1',
  'node ls -f role=worker',
  "node ls -f name=h1 --format '{{.Hostname}} {{.Self}} {{.Availability}} {{.ManagerStatus}} {{.TLSStatus}} {{.EngineVersion}}'",
  'node ls -f membership=accepted -f name=h3',
  'node ls -f shoe=size',
  'node update --availability active h3',
  'node update --label-add zone=a --label-add tier=back h2',
  'node update --label-add zone=b h3',
  'node update --label-rm tier h2',
  'node update --label-rm tier h2',
  'node update h9',
  {
    run: 'node update --availability away h2',
    differs: {
      why: REASONS.value,
      bale: /invalid NodeSpec: Availability: must be one of active, pause, drain, got "away"/,
    },
  },
  'node ls -f node.label=zone=a',
  'node ls -f label=zone=a -q',
  'node inspect --pretty h2',
  'node inspect --pretty self',
  "node inspect --format '{{json .Spec}} {{json .Description.Platform}} {{json .Description.Resources}} {{json .Description.Engine}}' h2",
  "node inspect -f '{{.Status.State}} {{.Spec.Role}} {{.ManagerStatus}}' self h2 h9",
  'node inspect h9',
  'node rm h2',
  'node rm h9',
  'node rm self',
  { run: 'node promote h2', refused: 'a node keeps the role it joined with' },
  { run: 'node update --role manager h2', refused: 'a node keeps the role it joined with' },
  'node update --role worker h2',
  {
    run: 'node update --role king h2',
    differs: { why: REASONS.value, bale: /invalid NodeSpec: Role: must be one of worker, manager, got "king"/ },
  },
  'node promote h9',
  'node promote h1',
  'node demote h2',
  'node demote h1',
  'node ps self',
];

/** Nodes that leave or are removed, the last worker but one and the one that was promised nothing. */
export const NODE_END: readonly Step[] = [
  'node update --availability drain h3',
  // A node that left is down for Swarm only after three periods of silence.
  'swarm update --dispatcher-heartbeat 2s',
  { on: 'h3', run: 'swarm leave' },
  { wait: 'node', of: 'h3', state: 'down' },
  "node ls -f name=h3 --format '{{.Hostname}} {{.Status}} {{.Availability}}'",
  'node rm --force h3',
  'node ls',
];

export const NODE_PS: readonly Step[] = [
  "node ps -f desired-state=running --format '{{.Image}} {{.Node}} {{.DesiredState}} {{.CurrentState}}' h2",
  'node ps --filter name=spot h2',
  'node ps --filter name=spot --no-trunc h2',
  "node ps --filter name=spot --no-resolve --format '{{.Image}} {{.CurrentState}}' h2",
  'node ps -q -f name=spot h2',
  'node ps -f label=part=7 h2',
  'node ps -f shoe=size h2',
  'node ps h9',
];
