import { describe, expect, test } from 'vitest';
import { stalledAfter } from '../../../../agent/mesh/stalled-nodes.js';

describe('the nodes that a connection avoids', () => {
  test('are those towards which a dial of it timed out', () => {
    const one = stalledAfter(new Set(), { nodeId: 'node1' }, 'timeout');
    expect([...one]).toEqual(['node1']);
    expect([...stalledAfter(one, { nodeId: 'node2' }, 'timeout')]).toEqual(['node1', 'node2']);
  });

  test.each(['refused', 'unreachable'] as const)('are not those with an endpoint that was %s', (failure) => {
    const known = new Set(['node1']);
    expect(stalledAfter(known, { nodeId: 'node2' }, failure)).toBe(known);
  });
});
