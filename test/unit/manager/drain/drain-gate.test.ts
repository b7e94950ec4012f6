import { describe, expect, test } from 'vitest';
import {
  type ActivationFacts,
  type DrainFacts,
  judgeActivation,
  judgeDrain,
} from '../../../../manager/drain/drain-gate.js';

const mesh = (node: string, acked: number, inFlight = 0) => ({ node, acked, inFlight });

const drain = (facts: Partial<DrainFacts>) =>
  judgeDrain({ node: 'h2', table: 10, meshes: [], since: 0, deadline: 30_000, now: 18_000, ...facts });

describe('the drain gate', () => {
  test.each([
    ['all acknowledged, nothing in flight', [mesh('h1', 10), mesh('h2', 11)], 'go'],
    ['no live mesh at all', [], 'go'],
    ['a mesh that has an older table', [mesh('h1', 10), mesh('h2', 9)], 'wait'],
    ['a mesh that never said anything', [mesh('h1', 0)], 'wait'],
    ['all acknowledged, one request in flight', [mesh('h1', 10, 1), mesh('h2', 10)], 'wait'],
  ])('with %s: %s', (_what, meshes, kind) => {
    expect(drain({ meshes }).kind).toBe(kind);
  });

  test('says where, what is under way and how long it may take', () => {
    expect(drain({ meshes: [mesh('h1', 10, 3), mesh('h2', 10, 1)] })).toEqual({
      kind: 'wait',
      reason: 'draining on h2, 4 requests in flight, 12 s left',
      wakeAt: 30_000,
    });
    expect(drain({ meshes: ['a', 'b', 'c', 'd'].map((node) => mesh(node, 1)) }).reason).toBe(
      'draining on h2, waiting for the mesh of a, b, c and 1 more, 12 s left',
    );
  });

  test('goes with a warning at the deadline, and says what was cut', () => {
    expect(drain({ now: 30_000, meshes: [mesh('h1', 10, 1)] })).toEqual({
      kind: 'go-with-warning',
      reason: 'its drain deadline of 30 s has passed: 1 request in flight',
    });
    expect(drain({ now: 30_000, meshes: [mesh('h1', 9)] }).kind).toBe('go-with-warning');
    expect(drain({ now: 40_000, meshes: [mesh('h1', 10)] }).kind).toBe('go');
  });

  test('goes at once where nothing can be under way', () => {
    expect(drain({ idleBecause: 'its node is down', meshes: [mesh('h1', 0, 5)] })).toEqual({
      kind: 'go',
      reason: 'its node is down',
    });
  });
});

const activate = (facts: Partial<ActivationFacts>) =>
  judgeActivation({ routed: true, table: 10, meshes: [], patience: 30_000, now: 0, ...facts });

describe('a new task', () => {
  test('serves once every live mesh routes to it', () => {
    expect(activate({ meshes: [mesh('h1', 10), mesh('h2', 12)] }).kind).toBe('active');
    expect(activate({ meshes: [mesh('h1', 10), mesh('h2', 9)] })).toEqual({
      kind: 'wait',
      reason: 'running, waiting for the mesh of h2',
      wakeAt: 30_000,
    });
  });

  test('without published ports serves as soon as it runs', () => {
    expect(activate({ routed: false, meshes: [mesh('h1', 0)] }).kind).toBe('active');
  });

  test('does not serve before it runs', () => {
    expect(activate({ inactiveBecause: 'pending: no suitable node' })).toEqual({
      kind: 'wait',
      reason: 'pending: no suitable node',
    });
  });

  test('does not wait for a lagging mesh for ever', () => {
    expect(activate({ now: 30_000, meshes: [mesh('h1', 9)] })).toEqual({
      kind: 'active',
      reason: 'it runs; given up waiting for the mesh of h1',
    });
  });
});
