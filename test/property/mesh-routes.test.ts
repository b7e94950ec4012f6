import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Affinity } from '../../agent/mesh/affinity.js';
import { InFlight } from '../../agent/mesh/in-flight.js';
import { Picker } from '../../agent/mesh/picker.js';
import type { Lease } from '../../agent/mesh/route.js';
import { Routes } from '../../agent/mesh/routes.js';
import type { Endpoint, PublishedPort } from '../../proto/endpoint-table.js';
import { endpointTable, publishedPort } from '../support/mesh-node.js';

const endpoint = (taskId: string, state: Endpoint['state']): Endpoint => ({
  taskId,
  nodeId: 'node1',
  targetPort: 80,
  state,
});

const taskIds = ['a', 'b', 'c', 'd', 'e', 'f'];
const endpoints = fc
  .uniqueArray(fc.record({ taskId: fc.constantFrom(...taskIds), state: fc.constantFrom('active', 'draining') }), {
    selector: ({ taskId }) => taskId,
  })
  .map((list) => list.map(({ taskId, state }) => endpoint(taskId, state)));

test('active endpoints get the same number of picks, give or take one', () => {
  fc.assert(
    fc.property(endpoints, fc.nat(50), fc.nat(200), (list, start, count) => {
      const active = list.filter(({ state }) => state === 'active');
      fc.pre(active.length > 0);
      const picker = new Picker(list, start);
      const picked = new Map(active.map(({ taskId }) => [taskId, 0]));
      for (let index = 0; index < count; index += 1) {
        const taskId = picker.pick()?.taskId ?? '';
        picked.set(taskId, (picked.get(taskId) ?? 0) + 1);
      }
      const counts = [...picked.values()];
      expect(picked.size).toBe(active.length);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }),
  );
});

test('over changes of the table the rotation goes on: an endpoint that stays is never passed over twice in a round', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(endpoints, fc.nat(6)), { minLength: 1, maxLength: 20 }), (tables) => {
      let picker = new Picker([]);
      const lastPicked = new Map<string, number>();
      let clock = 0;
      for (const [list, picks] of tables) {
        picker = picker.followedBy(list);
        const active = list.filter(({ state }) => state === 'active');
        for (const taskId of [...lastPicked.keys()]) {
          if (!active.some((each) => each.taskId === taskId)) lastPicked.delete(taskId);
        }
        for (let index = 0; index < Math.min(picks, active.length); index += 1) {
          lastPicked.set(picker.pick()?.taskId ?? '', (clock += 1));
        }
        if (picks >= active.length)
          expect([...lastPicked.keys()].sort()).toEqual(active.map((each) => each.taskId).sort());
      }
    }),
  );
});

test('a pick is never draining, never tried, not ejected where another is, and always there when it can be', () => {
  fc.assert(
    fc.property(endpoints, fc.subarray(taskIds), fc.subarray(taskIds), fc.nat(10), (list, tried, ejected, start) => {
      const picker = new Picker(list, start);
      const picked = picker.pick({
        tried: new Set(tried),
        stalled: undefined,
        affinity: undefined,
        isEjected: ({ taskId }) => ejected.includes(taskId),
        loadOf: () => 0,
      });
      const candidates = list.filter(({ taskId, state }) => state === 'active' && !tried.includes(taskId));
      if (candidates.length === 0) expect(picked).toBeUndefined();
      else expect(candidates).toContain(picked);
      if (candidates.some(({ taskId }) => !ejected.includes(taskId))) expect(ejected).not.toContain(picked?.taskId);
    }),
  );
});

type Balance = PublishedPort['balance'];

type Step =
  | { readonly kind: 'table'; readonly list: readonly Endpoint[]; readonly balance: Balance }
  | { readonly kind: 'claim'; readonly tried: readonly string[]; readonly affinity: Affinity | undefined }
  | { readonly kind: 'release'; readonly which: number };

const balance = fc.constantFrom<Balance>(undefined, 'least-connections', 'sticky');
const affinity: fc.Arbitrary<Affinity | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.record({ kind: fc.constant('replica'), taskId: fc.constantFrom(...taskIds) }),
  fc.record({ kind: fc.constant('address'), address: fc.ipV4() }),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('table'), list: endpoints, balance }),
  fc.record({ kind: fc.constant('claim'), tried: fc.subarray(taskIds, { maxLength: 2 }), affinity }),
  fc.nat(50).map((which) => ({ kind: 'release', which }) as const),
);

test('whatever the order of tables, claims and releases: nothing draining is claimed, in flight is what is held, zero at the end', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const inFlight = new InFlight(() => undefined);
      const routes = new Routes({ nodeId: 'node1', inFlight, now: () => 0 });
      const leases: Lease[] = [];
      const held = new Set<Lease>();
      let active = new Set<string>();
      for (const each of steps) {
        switch (each.kind) {
          case 'table': {
            routes.apply(
              endpointTable(
                'cluster',
                [],
                [publishedPort(each.list, each.balance === undefined ? {} : { balance: each.balance })],
              ),
            );
            active = new Set(each.list.filter(({ state }) => state === 'active').map(({ taskId }) => taskId));
            break;
          }
          case 'claim': {
            const before = inFlight.watched();
            const lease = routes
              .get(8080)
              ?.claim({ tried: each.tried.length === 0 ? undefined : new Set(each.tried), affinity: each.affinity });
            // What the manager waits for can only fall between two tables.
            expect(inFlight.watched()).toEqual(before);
            if (lease === undefined) break;
            expect([...active]).toContain(lease.endpoint.taskId);
            leases.push(lease);
            held.add(lease);
            break;
          }
          case 'release': {
            // Also one that was released before: it must not count twice.
            const lease = leases[each.which];
            if (lease === undefined) break;
            lease.release();
            held.delete(lease);
          }
        }
        expect(inFlight.total()).toBe(held.size);
        const waitedFor = [...held].filter(({ endpoint: { taskId } }) => !active.has(taskId)).length;
        expect(Object.values(inFlight.watched()).reduce((sum, count) => sum + count, 0)).toBe(waitedFor);
      }
      for (const lease of leases) lease.release();
      expect(inFlight.total()).toBe(0);
      expect(inFlight.watched()).toEqual({});
    }),
  );
});
