import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { favourite, type Affinity } from '../../agent/mesh/affinity.js';
import { Picker, type PickContext } from '../../agent/mesh/picker.js';
import type { Endpoint } from '../../proto/endpoint-table.js';

const endpoint = (taskId: string, state: Endpoint['state'] = 'active'): Endpoint => ({
  taskId,
  nodeId: 'node1',
  targetPort: 80,
  state,
});

/** As core/id.ts makes them. */
const taskId = fc.string({
  unit: fc.constantFrom(...'0123456789abcdefghijklmnopqrstuvwxyz'.split('')),
  minLength: 25,
  maxLength: 25,
});
const tasks = fc.uniqueArray(taskId, { minLength: 1, maxLength: 12 });
const address = fc.oneof(fc.ipV4(), fc.ipV6());

const ownerOf = (client: string, ids: readonly string[]): string =>
  favourite(
    { kind: 'address', address: client },
    ids.map((id) => endpoint(id)),
  )?.taskId ?? '';

test('when a replica comes or goes only those clients move that have it now or had it', () => {
  fc.assert(
    fc.property(tasks, taskId, fc.array(address, { minLength: 1, maxLength: 50 }), (ids, extra, clients) => {
      fc.pre(!ids.includes(extra));
      for (const client of clients) {
        const [few, many] = [ownerOf(client, ids), ownerOf(client, [extra, ...ids])];
        if (few !== many) expect(many).toBe(extra);
      }
    }),
  );
});

test('clients spread over the replicas: of 2000 neighbours each of 8 gets between half and twice its share', () => {
  fc.assert(
    fc.property(fc.uniqueArray(taskId, { minLength: 8, maxLength: 8 }), fc.nat(223), (ids, net) => {
      const counts = new Map(ids.map((id) => [id, 0]));
      for (let host = 0; host < 2_000; host += 1) {
        const owner = ownerOf(`${net}.0.${host >> 8}.${host & 255}`, ids);
        counts.set(owner, (counts.get(owner) ?? 0) + 1);
      }
      for (const count of counts.values()) expect(count).toSatisfy((each: number) => each > 125 && each < 500);
    }),
    { numRuns: 30 },
  );
});

const endpoints = fc
  .uniqueArray(fc.record({ id: taskId, state: fc.constantFrom('active' as const, 'draining' as const) }), {
    selector: ({ id }) => id,
    maxLength: 8,
  })
  .map((list) => list.map(({ id, state }) => endpoint(id, state)));

/** A client that belongs to one of the endpoints, to none that is there, or is known by its address. */
const affinityAmong = (list: readonly Endpoint[]): fc.Arbitrary<Affinity> =>
  fc.oneof(
    fc.constantFrom('gone', ...list.map((each) => each.taskId)).map((id) => ({ kind: 'replica', taskId: id }) as const),
    address.map((client) => ({ kind: 'address', address: client }) as const),
  );

const scene = endpoints.chain((list) =>
  fc.record({
    list: fc.constant(list),
    affinity: affinityAmong(list),
    balance: fc.constantFrom('least-connections' as const, 'sticky' as const),
    tried: fc.subarray(list.map((each) => each.taskId)),
    ejected: fc.subarray(list.map((each) => each.taskId)),
    loads: fc.array(fc.nat(3), { minLength: list.length, maxLength: list.length }),
    start: fc.nat(10),
  }),
);

test('a pick is never draining, never tried, not ejected where another is, and always there when it can be; then it is the one wanted', () => {
  fc.assert(
    fc.property(scene, ({ list, affinity, balance, tried, ejected, loads, start }) => {
      const loadOf = ({ taskId: id }: Endpoint): number => loads[list.findIndex((each) => each.taskId === id)] ?? 0;
      const context: PickContext = {
        tried: new Set(tried),
        stalled: undefined,
        affinity,
        isEjected: (each) => ejected.includes(each.taskId),
        loadOf,
      };
      const left = list.filter((each) => each.state === 'active' && !tried.includes(each.taskId));
      const healthy = left.filter((each) => !ejected.includes(each.taskId));
      const candidates = healthy.length > 0 ? healthy : left;
      const picked = new Picker(list, start, balance).pick(context);
      if (picked === undefined) {
        expect(candidates).toEqual([]);
        return;
      }
      expect(candidates).toContain(picked);
      if (balance === 'least-connections') expect(loadOf(picked)).toBe(Math.min(...candidates.map(loadOf)));
      else expect(picked).toBe(favourite(affinity, candidates) ?? picked);
    }),
  );
});

test('whoever claims the least loaded and never gives back keeps all within one of each other', () => {
  fc.assert(
    fc.property(tasks, fc.nat(100), (ids, count) => {
      const loads = new Map(ids.map((id) => [id, 0]));
      const picker = new Picker(
        ids.map((id) => endpoint(id)),
        0,
        'least-connections',
      );
      const context: PickContext = {
        tried: undefined,
        stalled: undefined,
        affinity: undefined,
        isEjected: () => false,
        loadOf: ({ taskId: id }) => loads.get(id) ?? 0,
      };
      for (let index = 0; index < count; index += 1) {
        const id = picker.pick(context)?.taskId ?? '';
        loads.set(id, (loads.get(id) ?? 0) + 1);
      }
      expect(loads.size).toBe(ids.length);
      expect(Math.max(...loads.values()) - Math.min(...loads.values())).toBeLessThanOrEqual(1);
    }),
  );
});
