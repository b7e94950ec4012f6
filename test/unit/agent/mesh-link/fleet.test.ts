import { describe, expect, test } from 'vitest';
import { planFleet, type FleetMember, type FleetWish } from '../../../../agent/mesh-link/fleet.js';

const wish = (changes: Partial<FleetWish> = {}): FleetWish => ({
  count: 1,
  hasTable: true,
  maySpawn: true,
  ...changes,
});

const member = (pid: number, changes: Partial<FleetMember> = {}): FleetMember => ({
  pid,
  role: 'follower',
  outdated: false,
  tableNumber: 7,
  since: pid,
  ...changes,
});
const lead = (pid: number, changes: Partial<FleetMember> = {}): FleetMember =>
  member(pid, { role: 'lead', ...changes });

const plan = (members: readonly FleetMember[], changes: Partial<FleetWish> = {}): readonly string[] =>
  planFleet(members, wish(changes)).map((action) => ('pid' in action ? `${action.kind} ${action.pid}` : action.kind));

describe('one process', () => {
  test('none: one is started', () => {
    expect(plan([])).toEqual(['start']);
    expect(plan([member(1, { role: 'retired' })])).toEqual(['start']);
  });

  test('one that leads: nothing', () => {
    expect(plan([lead(1)])).toEqual([]);
  });

  test('an outdated one starts its successor, as soon as that can be given a table, and one at a time', () => {
    expect(plan([lead(1, { outdated: true })])).toEqual(['spawn 1']);
    expect(plan([lead(1, { outdated: true })], { hasTable: false })).toEqual([]);
    expect(plan([lead(1, { outdated: true })], { maySpawn: false })).toEqual([]);
    expect(plan([lead(1, { outdated: true, tableNumber: 0 })])).toEqual([]);
  });

  test('it is retired only when its successor routes by a table, and before that one leads', () => {
    const old = lead(1, { outdated: true });
    expect(plan([old, member(2, { tableNumber: 0 })])).toEqual([]);
    expect(plan([old, member(2)])).toEqual(['retire 1', 'lead 2']);
    expect(plan([member(1, { role: 'retired', outdated: true }), lead(2)])).toEqual([]);
  });

  test('a successor whose forerunner died leads, ready or not', () => {
    expect(plan([member(2, { role: 'orphan' })])).toEqual(['lead 2']);
    expect(plan([member(2, { role: 'orphan', tableNumber: 0 })])).toEqual(['lead 2']);
  });
});

describe('several processes', () => {
  test('missing ones are started one by one by the lead', () => {
    expect(plan([lead(1)], { count: 3 })).toEqual(['spawn 1']);
    expect(plan([lead(1), member(2), member(3)], { count: 3 })).toEqual([]);
  });

  test('too many: the newest go, never the lead', () => {
    expect(plan([member(1), member(2), lead(3)], { count: 2 })).toEqual(['retire 2']);
  });

  test('the lead died: the oldest leads, then the other orphans are replaced', () => {
    const orphans = [member(3, { role: 'orphan' }), member(2, { role: 'orphan' })];
    expect(plan(orphans, { count: 3 })).toEqual(['lead 2']);
    expect(plan([lead(2), member(3, { role: 'orphan' })], { count: 3 })).toEqual(['retire 3', 'spawn 2']);
  });

  test('all outdated ones go when the first new one takes over', () => {
    const old = [lead(1, { outdated: true }), member(2, { outdated: true })];
    expect(plan(old, { count: 2 })).toEqual(['spawn 1']);
    expect(plan([...old, member(3)], { count: 2 })).toEqual(['retire 1', 'retire 2', 'lead 3']);
  });

  test('a lead that was not told yet that it retired is told again', () => {
    expect(plan([lead(1, { outdated: true }), lead(2)])).toEqual(['retire 1']);
  });
});

test('each action says why', () => {
  for (const action of planFleet([lead(1, { outdated: true }), member(2)], wish())) expect(action.reason).not.toBe('');
});
