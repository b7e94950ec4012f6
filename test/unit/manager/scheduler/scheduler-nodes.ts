import { Ledger } from '../../../../manager/scheduler/ledger.js';
import { NodePool } from '../../../../manager/scheduler/node-pool.js';
import { placeGroup } from '../../../../manager/scheduler/place.js';
import type { Group, GroupDecision } from '../../../../manager/scheduler/placement.js';
import type { Requirement } from '../../../../manager/scheduler/requirement.js';
import type { NodeObject } from '../../../../manager/store/objects.js';
import type { NodeAvailability, NodeState } from '../../../../proto/engine/node-document.js';
import { parseGenericResources } from '../../../../proto/engine/generic-resource.js';
import type { Platform } from '../../../../proto/engine/task-spec.js';
import { storedNode } from '../../../support/stored-objects.js';

export const GIB = 1024 ** 3;

interface NodeShape {
  readonly cpus?: number;
  readonly memory?: number;
  readonly state?: NodeState;
  readonly availability?: NodeAvailability;
  readonly platform?: Platform;
  /** As `--generic-resource` has them. */
  readonly generics?: readonly string[];
  readonly labels?: Record<string, string>;
}

/** A ready node; its hostname is its id. */
export const nodeOf = (
  id: string,
  {
    cpus = 4,
    memory = 8 * GIB,
    state = 'ready',
    availability = 'active',
    platform,
    generics = [],
    labels = {},
  }: NodeShape = {},
): NodeObject =>
  storedNode(id, {
    spec: { Labels: labels, Role: 'worker', Availability: availability },
    status: { state, message: '', addr: '' },
    description: {
      Hostname: id,
      Platform: platform ?? { OS: 'linux', Architecture: 'x86_64' },
      Resources: { NanoCPUs: cpus * 1e9, MemoryBytes: memory, GenericResources: parseGenericResources(generics) },
      Engine: { EngineVersion: '20.10', Plugins: [] },
    },
  });

export interface Candidate {
  readonly node: NodeObject;
  readonly ledger: Ledger;
  readonly suspect: boolean;
  readonly failures: number;
}

export const candidate = (node: NodeObject, ledger = new Ledger(), failures = 0): Candidate => ({
  node,
  ledger,
  suspect: false,
  failures,
});

/** Places a group on candidates that share the ledger of the first one. */
export function placeOn(candidates: readonly Candidate[], group: Group): GroupDecision {
  const nodes = candidates.map(({ node }) => node).sort((a, b) => (a.id < b.id ? -1 : 1));
  const suspects = candidates.filter(({ suspect }) => suspect).map(({ node }) => node.id);
  const pool = new NodePool(nodes, candidates[0]?.ledger ?? new Ledger(), new Set(suspects));
  return placeGroup(group, pool, (id) => candidates.find(({ node }) => node.id === id)?.failures ?? 0);
}

export const requirement = (fields: Partial<Requirement> = {}): Requirement => ({
  reserved: { nanoCpus: 0, memoryBytes: 0 },
  hostPorts: [],
  platforms: [],
  conditions: [],
  spreads: [],
  placementKey: '',
  generics: [],
  maxReplicas: 0,
  ...fields,
});
