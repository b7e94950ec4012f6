import type { NodeObject, TaskObject } from '../../manager/store/objects.js';
import type { TaskSpec } from '../../proto/engine/task-spec.js';
import { storedNode, storedTask } from '../../test/support/stored-objects.js';

/** The swarm that placements are measured on: labelled nodes, and tasks that ask for all a scheduler looks at. */

const ZONES = 10;
const RACKS = 20;
const MIB = 2 ** 20;

/** Ten zones of twenty racks each, two nodes of three with fast disks, room for every task. */
export const nodesOf = (count: number): readonly NodeObject[] =>
  Array.from({ length: count }, (_, index) => node(index));

const node = (index: number): NodeObject =>
  storedNode(`node-${String(index).padStart(6, '0')}`, {
    spec: {
      Labels: {
        zone: `z${index % ZONES}`,
        rack: `r${Math.floor(index / ZONES) % RACKS}`,
        disk: index % 3 === 0 ? 'hdd' : 'ssd',
      },
      Role: 'worker',
      Availability: 'active',
    },
    description: {
      Hostname: `h${index}`,
      Platform: { OS: 'linux', Architecture: 'x86_64' },
      Resources: { NanoCPUs: 64e9, MemoryBytes: 256 * 1024 * MIB },
      Engine: { EngineVersion: '20.10', Plugins: [] },
    },
  });

/** Reservations that differ, one of twelve constraints, and a spread over zones and racks. */
const spec = (variety: number): TaskSpec => ({
  ContainerSpec: { Image: 'image' },
  Resources: { Reservations: { NanoCPUs: (50 + (variety % 7)) * 1e6, MemoryBytes: (64 + (variety % 11)) * MIB } },
  Placement: {
    Constraints: ['node.labels.disk == ssd', `node.labels.zone != z${variety % (ZONES + 2)}`],
    Preferences: ['zone', 'rack'].map((label) => ({ Spread: { SpreadDescriptor: `node.labels.${label}` } })),
    Platforms: [{ OS: 'linux', Architecture: 'amd64' }],
  },
});

/** The replicas of one service. */
export function identicalTasks(count: number): readonly TaskObject[] {
  const shared = spec(ZONES);
  return Array.from({ length: count }, (_, index) => waiting(index, 'web', index + 1, shared));
}

/** One replica of each of many services. */
export const differentTasks = (count: number): readonly TaskObject[] =>
  Array.from({ length: count }, (_, index) => waiting(index, `s${index}`, 1, spec(index)));

const waiting = (index: number, serviceId: string, slot: number, own: TaskSpec): TaskObject =>
  storedTask(`t${String(index).padStart(6, '0')}`, serviceId, {
    slot,
    spec: own,
    status: { Timestamp: '', State: 'new', Message: '' },
  });
