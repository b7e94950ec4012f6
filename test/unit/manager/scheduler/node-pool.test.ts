import { describe, expect, test } from 'vitest';
import { KeptPool } from '../../../../manager/scheduler/kept-pool.js';
import { Ledger } from '../../../../manager/scheduler/ledger.js';
import { NodePool } from '../../../../manager/scheduler/node-pool.js';
import { placeGroup } from '../../../../manager/scheduler/place.js';
import { storedTask } from '../../../support/stored-objects.js';
import { GIB, nodeOf, requirement } from './scheduler-nodes.js';

const nodes = ['h1', 'h2', 'h3'].map((id) => nodeOf(id));
const nobody: ReadonlySet<string> = new Set();
const taskIds = ['t1', 't2', 't3', 't4'];

describe('a pool of nodes', () => {
  test('explains nothing while every task gets a node: each node is looked at once, to make the tree', () => {
    const pool = new NodePool(nodes, new Ledger(), nobody);
    const small = { serviceId: 'web', requirement: requirement({ reserved: { nanoCpus: 0, memoryBytes: GIB } }) };
    placeGroup({ ...small, taskIds }, pool, () => 0);
    expect(pool.looks).toBe(nodes.length);
    const large = { serviceId: 'db', requirement: requirement({ reserved: { nanoCpus: 0, memoryBytes: 99 * GIB } }) };
    expect(placeGroup({ ...large, taskIds }, pool, () => 0).waiting?.reason).toContain('needs 99 GiB');
    expect(pool.looks).toBeGreaterThan(2 * nodes.length);
  });

  test('goes on with a group where it stopped, and gives its nodes back when another comes', () => {
    const pool = new NodePool(nodes, new Ledger(), nobody);
    const web = { serviceId: 'web', requirement: requirement() };
    const nodesFor = (group: typeof web, ids: readonly string[]): readonly string[] =>
      placeGroup({ ...group, taskIds: ids }, pool, () => 0).placements.map(({ nodeId }) => nodeId);
    expect(nodesFor(web, ['t1', 't2'])).toEqual(['h1', 'h2']);
    expect(nodesFor(web, ['t3', 't4'])).toEqual(['h3', 'h1']);
    expect(nodesFor({ serviceId: 'db', requirement: requirement() }, ['d1', 'd2', 'd3'])).toEqual(['h2', 'h3', 'h1']);
  });

  test('a task for one node takes its room from all groups', () => {
    const memory = { reserved: { nanoCpus: 0, memoryBytes: 5 * GIB } };
    const pool = new NodePool(nodes.slice(0, 1), new Ledger(), nobody);
    const pinned = { serviceId: 'agent', requirement: requirement(memory), taskIds: ['a1'], pinnedTo: 'h1' };
    expect(placeGroup(pinned, pool, () => 0).placements).toHaveLength(1);
    const group = { serviceId: 'web', requirement: requirement(memory), taskIds: ['t1'] };
    expect(placeGroup(group, pool, () => 0).placements).toEqual([]);
  });
});

describe('the pool of the last pass', () => {
  test('serves the next one while nothing but passes booked', () => {
    const kept = new KeptPool();
    const ledger = new Ledger();
    const first = kept.of(nodes, ledger, nobody);
    ledger.set('t1', storedTask('t1', 'web', { nodeId: 'h1' }));
    first.booked();
    expect(kept.of(nodes, ledger, nobody)).toBe(first);
    // The watch tells of what the pass has booked.
    ledger.set('t1', storedTask('t1', 'web', { nodeId: 'h1' }));
    expect(kept.of(nodes, ledger, nobody)).toBe(first);
  });

  test('is not used any more when room came free, nodes changed, one is suspect or the ledger is another', () => {
    const kept = new KeptPool();
    const ledger = new Ledger();
    const ended = storedTask('t1', 'web', { nodeId: 'h1', status: { Timestamp: '', State: 'failed', Message: '' } });
    ledger.set('t1', storedTask('t1', 'web', { nodeId: 'h1' }));
    const pools = [kept.of(nodes, ledger, nobody)];
    ledger.set('t1', ended);
    pools.push(kept.of(nodes, ledger, nobody));
    pools.push(kept.of([...nodes], ledger, nobody));
    pools.push(kept.of(nodes, ledger, new Set(['h1'])));
    pools.push(kept.of(nodes, new Ledger(), new Set(['h1'])));
    expect(new Set(pools).size).toBe(5);
  });
});
