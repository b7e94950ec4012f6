import { describe, expect, test } from 'vitest';
import { Ledger } from '../../../../manager/scheduler/ledger.js';
import type { Requirement } from '../../../../manager/scheduler/requirement.js';
import { storedTask } from '../../../support/stored-objects.js';
import { type Candidate, candidate, GIB, nodeOf, placeOn, requirement } from './scheduler-nodes.js';

const place = (candidates: readonly Candidate[], count: number, needs: Partial<Requirement> = {}) =>
  placeOn(candidates, {
    serviceId: 'web',
    requirement: requirement(needs),
    taskIds: Array.from({ length: count }, (_, index) => `t${index + 1}`),
  });

const chosen = (...args: Parameters<typeof place>): readonly string[] =>
  place(...args).placements.map(({ nodeId }) => nodeId);

const reason = (...args: Parameters<typeof place>): string | undefined => place(...args).waiting?.reason;

describe('the spread', () => {
  const three = ['h1', 'h2', 'h3'].map((id) => candidate(nodeOf(id)));

  test('goes over equal nodes in turn', () => {
    expect(chosen(three, 7)).toEqual(['h1', 'h2', 'h3', 'h1', 'h2', 'h3', 'h1']);
  });

  test('is the same whatever the order of the nodes', () => {
    expect(chosen([...three].reverse(), 7)).toEqual(chosen(three, 7));
  });

  test('looks first at the tasks of the service, then at reservations, then at all tasks', () => {
    const ledger = new Ledger();
    ledger.set('a', storedTask('a', 'web', { nodeId: 'h1' }));
    ledger.set('b', storedTask('b', 'other', { nodeId: 'h2' }));
    ledger.set('c', storedTask('c', 'other', { nodeId: 'h2' }));
    const reserving = { ContainerSpec: { Image: '' }, Resources: { Reservations: { MemoryBytes: 4 * GIB } } };
    ledger.set('d', storedTask('d', 'other', { nodeId: 'h3', spec: reserving }));
    const nodes = ['h1', 'h2', 'h3'].map((id) => candidate(nodeOf(id), ledger));
    expect(chosen(nodes, 3)).toEqual(['h2', 'h3', 'h1']);
  });

  test('reservations weigh by the share of the node they take, and little ones do not count', () => {
    const ledger = new Ledger();
    const reserving = { ContainerSpec: { Image: '' }, Resources: { Reservations: { MemoryBytes: GIB } } };
    ledger.set('a', storedTask('a', 'other', { nodeId: 'big', spec: reserving }));
    ledger.set('b', storedTask('b', 'other', { nodeId: 'small', spec: reserving }));
    const nodes = [
      candidate(nodeOf('small', { memory: 2 * GIB }), ledger),
      candidate(nodeOf('big', { memory: 64 * GIB }), ledger),
    ];
    expect(chosen(nodes, 1)).toEqual(['big']);
  });

  test('passes by a node where the service failed five times of late', () => {
    const ledger = new Ledger();
    ledger.set('a', storedTask('a', 'web', { nodeId: 'h2' }));
    const nodes = (failures: number): readonly Candidate[] => [
      candidate(nodeOf('h1'), ledger, failures),
      candidate(nodeOf('h2'), ledger),
    ];
    expect(chosen(nodes(4), 1)).toEqual(['h1']);
    expect(chosen(nodes(5), 1)).toEqual(['h2']);
  });

  test('tasks that are stopping hold room but do not count', () => {
    const ledger = new Ledger();
    ledger.set('a', storedTask('a', 'web', { nodeId: 'h1', desiredState: 'remove' }));
    expect(chosen([candidate(nodeOf('h1'), ledger), candidate(nodeOf('h2'), ledger)], 1)).toEqual(['h1']);
  });
});

describe('spread preferences', () => {
  const zone = { kind: 'node-label', label: 'zone' } as const;
  const rack = { kind: 'node-label', label: 'rack' } as const;
  const at = (id: string, labels: Record<string, string>, more = {}): Candidate =>
    candidate(nodeOf(id, { labels, ...more }));
  const nodes = [
    at('h1', { zone: 'a', rack: '1' }),
    at('h2', { zone: 'a', rack: '1' }),
    at('h3', { zone: 'a', rack: '2' }),
    at('h4', { zone: 'b', rack: '1' }),
    at('h5', {}),
  ];
  const countsOf = (ids: readonly string[]): Record<string, number> =>
    Object.fromEntries(['h1', 'h2', 'h3', 'h4', 'h5'].map((id) => [id, ids.filter((own) => own === id).length]));

  test('give each value as many, a missing label being one more value', () => {
    const counts = countsOf(chosen(nodes, 9, { spreads: [zone] }));
    expect(counts).toMatchObject({ h4: 3, h5: 3 });
    expect([counts.h1, counts.h2, counts.h3]).toEqual([1, 1, 1]);
  });

  test('hold on each level', () => {
    expect(countsOf(chosen(nodes, 12, { spreads: [zone, rack] }))).toEqual({ h1: 1, h2: 1, h3: 2, h4: 4, h5: 4 });
  });

  test('count the tasks that are there, also on nodes that take no more', () => {
    const ledger = new Ledger();
    for (const id of ['a', 'b']) ledger.set(id, storedTask(id, 'web', { nodeId: 'h1' }));
    const full = [
      candidate(nodeOf('h1', { labels: { zone: 'a' }, availability: 'pause' }), ledger),
      candidate(nodeOf('h2', { labels: { zone: 'a' } }), ledger),
      candidate(nodeOf('h3', { labels: { zone: 'b' } }), ledger),
    ];
    expect(chosen(full, 4, { spreads: [zone] })).toEqual(['h3', 'h3', 'h2', 'h3']);
  });

  test('a full branch leaves its share to the others', () => {
    const small = [at('h1', { zone: 'a' }, { memory: GIB }), at('h2', { zone: 'b' })];
    const needs = { spreads: [zone], reserved: { nanoCpus: 0, memoryBytes: GIB } };
    expect(chosen(small, 5, needs)).toEqual(['h1', 'h2', 'h2', 'h2', 'h2']);
  });
});

describe('a refusal explains itself', () => {
  test('no nodes', () => {
    expect(reason([], 1)).toBe('no suitable node (the swarm has no nodes)');
  });

  test('nodes that are not available, with their state', () => {
    expect(reason([candidate(nodeOf('h1', { state: 'unknown' }))], 1)).toContain('h1 has not reported yet');
    expect(reason([candidate(nodeOf('h1', { availability: 'pause' }))], 1)).toContain('h1 is paused');
    const nodes = [
      candidate(nodeOf('h1', { state: 'down' })),
      candidate(nodeOf('h2', { availability: 'drain' })),
      { ...candidate(nodeOf('h3')), suspect: true },
      candidate(nodeOf('h4', { state: 'disconnected' })),
      candidate(nodeOf('h5', { availability: 'pause' })),
    ];
    expect(reason(nodes, 1)).toBe(
      'no suitable node (5 nodes not available for new tasks: h1 is down, h2 is drained, h3 does not answer and 2 more)',
    );
  });

  test('resources, with what is asked and the most that is free; the widest cause first', () => {
    const nodes = [
      candidate(nodeOf('h1', { memory: 1 * GIB })),
      candidate(nodeOf('h2', { memory: 1.2 * GIB })),
      candidate(nodeOf('h3', { state: 'down' })),
    ];
    expect(reason(nodes, 1, { reserved: { nanoCpus: 0, memoryBytes: 2 * GIB } })).toBe(
      'no suitable node (insufficient resources on 2 nodes: needs 2 GiB of memory, ' +
        'h2 has the most, 1.2 GiB free of 1.2 GiB; 1 node not available for new tasks: h3 is down)',
    );
  });

  test('both resources, and none of them free at once', () => {
    const small = candidate(nodeOf('h1', { cpus: 1, memory: 0.5 * GIB }));
    const needs = { reserved: { nanoCpus: 2e9, memoryBytes: GIB } };
    expect(reason([small], 1, needs)).toBe(
      'no suitable node (insufficient resources on 1 node: needs 1 GiB of memory, ' +
        'h1 has 512 MiB free of 512 MiB; needs 2 CPUs, h1 has 1 CPU free of 1 CPU)',
    );
    const lopsided = [candidate(nodeOf('h1', { cpus: 1 })), candidate(nodeOf('h2', { memory: 1 }))];
    expect(reason(lopsided, 1, needs)).toBe(
      'no suitable node (insufficient resources on 2 nodes: no node has 2 CPUs and 1 GiB of memory free at once)',
    );
  });

  test('who reserves what there is', () => {
    const ledger = new Ledger();
    const reserving = (memory: number) => ({
      ContainerSpec: { Image: '' },
      Resources: { Reservations: { MemoryBytes: memory } },
    });
    ledger.set('a', storedTask('a', 'web', { nodeId: 'h2', spec: reserving(0.8 * GIB) }));
    ledger.set('b', storedTask('b', 'db', { nodeId: 'h2', spec: reserving(2 * GIB) }));
    ledger.set('c', storedTask('c', 'idle', { nodeId: 'h2' }));
    const nodes = [candidate(nodeOf('h2', { memory: 4 * GIB }), ledger)];
    expect(reason(nodes, 1, { reserved: { nanoCpus: 0, memoryBytes: 2 * GIB } })).toBe(
      'no suitable node (insufficient resources on 1 node: needs 2 GiB of memory, ' +
        'h2 has 1.2 GiB free of 4 GiB, reserved by db, web)',
    );
  });

  test('generic resources that are used up, by this group and others', () => {
    const ledger = new Ledger();
    const held = [{ DiscreteResourceSpec: { Kind: 'gpu', Value: 1 } }];
    ledger.set('a', storedTask('a', 'db', { nodeId: 'h1', genericResources: held }));
    const nodes = [candidate(nodeOf('h1', { generics: ['gpu=4'] }), ledger), candidate(nodeOf('h2'))];
    const decision = place(nodes, 3, { generics: [{ kind: 'gpu', names: [], count: 2 }] });
    expect(decision.placements.map(({ nodeId, generics }) => [nodeId, generics])).toEqual([
      ['h1', [{ DiscreteResourceSpec: { Kind: 'gpu', Value: 2 } }]],
    ]);
    expect(decision.waiting?.reason).toBe(
      'no suitable node (insufficient resources on 2 nodes: needs 2 gpu, h1 has 1 free of 4, reserved by db; 1 node more likewise)',
    );
  });

  test('named resources go to one task each', () => {
    const nodes = [candidate(nodeOf('h1', { generics: ['gpu=u1', 'gpu=u2', 'gpu=u3'] }))];
    const given = place(nodes, 3, { generics: [{ kind: 'gpu', names: ['u2'], count: 0 }] }).placements;
    expect(given.map(({ generics }) => generics)).toEqual([[{ NamedResourceSpec: { Kind: 'gpu', Value: 'u2' } }]]);
    const any = place(nodes, 3, { generics: [{ kind: 'gpu', names: [], count: 1 }] }).placements;
    expect(any.map(({ generics }) => generics?.[0]?.NamedResourceSpec?.Value)).toEqual(['u1', 'u2', 'u3']);
  });

  test('host ports that are taken, also by tasks of the same group', () => {
    const nodes = [candidate(nodeOf('h1')), candidate(nodeOf('h2'))];
    const decision = place(nodes, 3, { hostPorts: ['80/tcp'] });
    expect(decision.placements.map(({ nodeId }) => nodeId)).toEqual(['h1', 'h2']);
    expect(decision.waiting).toEqual({
      taskIds: ['t3'],
      reason: 'no suitable node (host-mode port already in use on 2 nodes: 80/tcp)',
    });
  });

  test('platforms, by either name of an architecture', () => {
    const nodes = [candidate(nodeOf('h1'))];
    expect(chosen(nodes, 1, { platforms: [{ OS: 'linux', Architecture: 'amd64' }] })).toEqual(['h1']);
    expect(chosen(nodes, 1, { platforms: [{ OS: 'linux' }] })).toEqual(['h1']);
    expect(reason(nodes, 1, { platforms: [{ OS: 'linux', Architecture: 'arm64' }] })).toBe(
      'no suitable node (unsupported platform on 1 node: needs linux/arm64, found linux/x86_64)',
    );
  });

  test('constraints, by those that broke', () => {
    const nodes = [candidate(nodeOf('h1')), candidate(nodeOf('h2'))];
    const attribute = { kind: 'hostname' } as const;
    const holds = ({ id }: { readonly id: string }): boolean => id === 'h2';
    const conditions = [{ text: 'node.hostname==h2', attribute, holds }];
    expect(chosen(nodes, 2, { conditions })).toEqual(['h2', 'h2']);
    expect(reason(nodes, 3, { conditions, maxReplicas: 2 })).toBe(
      'no suitable node (scheduling constraints not satisfied on 1 node: node.hostname==h2; ' +
        'max replicas per node limit exceed on 1 node: at most 2 of the service may be on a node)',
    );
  });

  test('a limit of replicas per node counts those that are there', () => {
    const ledger = new Ledger();
    ledger.set('a', storedTask('a', 'web', { nodeId: 'h1' }));
    const nodes = [candidate(nodeOf('h1'), ledger), candidate(nodeOf('h2'), ledger)];
    expect(chosen(nodes, 3, { maxReplicas: 1 })).toEqual(['h2']);
  });

  test('room is used up to the last byte, then the rest waits', () => {
    const needs = { reserved: { nanoCpus: 0, memoryBytes: 4 * GIB } };
    const decision = place([candidate(nodeOf('h1'))], 3, needs);
    expect(decision.placements.length).toBe(2);
    expect(decision.waiting?.reason).toBe(
      'no suitable node (insufficient resources on 1 node: needs 4 GiB of memory, h1 has 0 bytes free of 8 GiB)',
    );
  });
});
