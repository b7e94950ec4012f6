import { describe, expect, test } from 'vitest';
import { NodeCondition, type Condition } from '../../../../agent/session/node-condition.js';
import { FakeClock, settle } from '../../../support/fake-clock.js';
import { SimulatedEngine } from '../../../support/simulated-executor.js';

function bench(): {
  readonly clock: FakeClock;
  readonly node: ReturnType<SimulatedEngine['executor']>;
  readonly told: Condition[];
} {
  const clock = new FakeClock();
  return { clock, node: new SimulatedEngine({ clock }).executor('n1'), told: [] };
}

describe('what a node tells of itself', () => {
  test('is asked of the Engine every 20 s and told only when it changed', async () => {
    const { clock, node, told } = bench();
    const condition = new NodeCondition(node, clock, (current) => told.push(current));
    await condition.ready;
    expect(condition.current).toMatchObject({ engineError: '', description: { Hostname: 'n1' } });
    await clock.advance(60_000);
    expect(node.calls.describe).toBe(4);
    expect(told).toHaveLength(1);
    condition.close();
    await clock.advance(60_000);
    expect(node.calls.describe).toBe(4);
  });

  test('an Engine that went away is told at once, and that it is back', async () => {
    const { clock, node, told } = bench();
    const condition = new NodeCondition(node, clock, (current) => told.push(current));
    await condition.ready;
    node.unreachable('connect ECONNREFUSED');
    condition.engine({ reachable: false, error: 'connect ECONNREFUSED' });
    expect(told.at(-1)).toMatchObject({ engineError: 'connect ECONNREFUSED', description: { Hostname: 'n1' } });
    node.reachable();
    condition.engine({ reachable: true });
    await settle();
    expect(told.at(-1)).toMatchObject({ engineError: '' });
    condition.close();
  });

  test('a machine whose Engine never answered still describes itself, with the error', async () => {
    const { clock, node, told } = bench();
    node.unreachable('no such file');
    const condition = new NodeCondition(node, clock, (current) => told.push(current));
    await condition.ready;
    expect(condition.current.engineError).toBe('the Docker Engine does not answer: no such file');
    expect(condition.current.description.Resources.NanoCPUs).toBeGreaterThan(0);
    condition.close();
  });

  test('an answer from before the Engine went away, or came back, is not believed', async () => {
    const { clock, node, told } = bench();
    const description = await node.describe(new AbortController().signal);
    const asked: { readonly answer: () => void; readonly fail: () => void }[] = [];
    const describeLate = (): Promise<typeof description> =>
      new Promise((resolve, reject) => {
        const answer = (): void => {
          resolve(description);
        };
        const fail = (): void => {
          reject(new Error('reset'));
        };
        asked.push({ answer, fail });
      });
    const condition = new NodeCondition({ describe: describeLate }, clock, (current) => told.push(current));
    asked[0]?.answer();
    await condition.ready;

    await clock.advance(20_000);
    condition.engine({ reachable: false, error: 'gone' });
    asked[1]?.answer();
    await settle();
    expect(condition.current.engineError).toBe('gone');
    condition.engine({ reachable: true });
    asked[2]?.fail();
    await settle();
    asked[3]?.answer();
    await settle();
    expect(asked).toHaveLength(4);
    expect(told.map(({ engineError }) => engineError)).toEqual(['', 'gone', '']);
    condition.close();
  });
});
