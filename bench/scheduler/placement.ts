import { FailureWindow } from '../../manager/scheduler/failure-window.js';
import { Ledger } from '../../manager/scheduler/ledger.js';
import { type PassRows, runPass } from '../../manager/scheduler/scheduling-pass.js';
import { groupKey } from '../../manager/scheduler/task-groups.js';
import type { NodeObject, TaskObject } from '../../manager/store/objects.js';
import type { Draft } from '../../manager/store/store-types.js';
import type { TaskSpec } from '../../proto/engine/task-spec.js';
import { draftNode, storedTask } from '../../test/support/stored-objects.js';

/** Placements a second of one core, as the scheduler makes them, pass by pass, without the store. */

const SIZES = [500, 5_000, 10_000];
const ZONES = 10;
const RACKS = 20;
const MIB = 2 ** 20;
/** As in scheduler-loop.ts. */
const BUDGET = 1_000;
const GROUPS = 1_000;

const node = (index: number): Draft<NodeObject> =>
  draftNode(`node-${String(index).padStart(6, '0')}`, {
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

const identical = (count: number): readonly TaskObject[] => {
  const shared = spec(ZONES);
  return Array.from({ length: count }, (_, index) => waiting(`t${index}`, 'web', index + 1, shared));
};

const different = (count: number): readonly TaskObject[] =>
  Array.from({ length: count }, (_, index) => waiting(`t${index}`, `s${index}`, 1, spec(index)));

const waiting = (id: string, serviceId: string, slot: number, own: TaskSpec): TaskObject =>
  storedTask(id, serviceId, { slot, spec: own, status: { Timestamp: '', State: 'new', Message: '' } });

/** The rows of a swarm without a journal: what is measured is the deciding and the booking. */
class Rows implements PassRows {
  readonly now = 0;
  readonly #nodes: readonly NodeObject[];
  readonly #tasks: Map<string, TaskObject>;
  readonly #unassigned: Map<string, TaskObject>;

  constructor(nodes: readonly NodeObject[], tasks: readonly TaskObject[]) {
    this.#nodes = nodes;
    this.#tasks = new Map(tasks.map((task) => [task.id, task]));
    this.#unassigned = new Map(this.#tasks);
  }

  get: PassRows['get'] = (table, id) => {
    // Passes ask for tasks only, which the compiler cannot see through the type of the table's name.
    return (table === 'task' ? this.#tasks.get(id) : undefined) as ReturnType<typeof this.get<typeof table>>;
  };

  all: PassRows['all'] = (table) =>
    // As above: passes list nodes only.
    (table === 'node' ? this.#nodes : []) as ReturnType<typeof this.all<typeof table>>;

  unassignedTasks(): readonly TaskObject[] {
    return [...this.#unassigned.values()];
  }

  /** Asked only for tasks with volumes: these have none. */
  tasksBySlot(): readonly TaskObject[] {
    return [];
  }

  put: PassRows['put'] = (_table, row) => {
    const known = this.#tasks.get(row.id);
    if (known === undefined) return;
    const task: TaskObject = { ...known, ...row };
    this.#tasks.set(row.id, task);
    if (task.nodeId !== undefined) this.#unassigned.delete(row.id);
  };
}

const META = { version: 1, createdAt: 0, updatedAt: 0 };

/** Placements per second of this process's CPU time. */
function place(count: number, tasks: readonly TaskObject[]): number {
  const nodes = Array.from({ length: count }, (_, index): NodeObject => ({ ...META, ...node(index) }));
  const rows = new Rows(nodes, tasks);
  const ledger = new Ledger();
  const failures = new FailureWindow();
  const before = process.cpuUsage();
  const keys = new Set(tasks.map(groupKey));
  while (keys.size > 0) {
    const taken = new Set([...keys].slice(0, GROUPS));
    const report = runPass(rows, taken, { ledger, failures, suspects: new Set(), allowed: new Set() }, BUDGET);
    for (const key of taken) keys.delete(key);
    for (const key of report.unfinished) keys.add(key);
  }
  const { user, system } = process.cpuUsage(before);
  const left = rows.unassignedTasks().length;
  if (left > 0) throw new Error(`${left} tasks found no node: the measurement is void`);
  return (tasks.length / (user + system)) * 1e6;
}

const ROUNDS = [
  { name: '100,000 identical tasks', tasks: identical(100_000) },
  { name: '10,000 different tasks', tasks: different(10_000) },
];

place(100, different(2_000));
place(100, identical(5_000));
console.log('placements per second of CPU time, constraints, reservations and two levels of spread');
for (const { name, tasks } of ROUNDS) {
  for (const nodes of SIZES) {
    const rate = Math.round(place(nodes, tasks));
    console.log(`${name} on ${nodes} nodes: ${rate.toLocaleString('en')}`);
  }
}
