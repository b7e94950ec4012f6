import { describe, expect, test } from 'vitest';
import { Session } from '../../../../agent/session/session.js';
import { BaleError } from '../../../../core/errors.js';
import { createLogger } from '../../../../core/logger.js';
import type { AgentMessage } from '../../../../proto/session.js';
import { FakeClock, settle } from '../../../support/fake-clock.js';
import { FakeAgentSession } from '../../../support/session-pair.js';

const HELLO: AgentMessage = {
  kind: 'hello',
  protocolVersion: 1,
  baleVersion: '0',
  description: {
    Hostname: 'h',
    Platform: {},
    Resources: {},
    Engine: { EngineVersion: '', Plugins: [] },
  },
  engineError: '',
  meshAddr: '127.0.0.1:2378',
  streams: true,
};
const STATUSES: AgentMessage = { kind: 'statuses', statuses: [] };

interface Bench {
  readonly clock: FakeClock;
  readonly opened: FakeAgentSession[];
  readonly session: Session;
  readonly last: () => FakeAgentSession;
}

async function bench(managers: readonly string[] = ['m1:2377'], gap?: string): Promise<Bench> {
  const clock = new FakeClock();
  const opened: FakeAgentSession[] = [];
  const session = new Session({
    open: (addr) => {
      const stream = new FakeAgentSession(addr);
      opened.push(stream);
      return stream;
    },
    ready: Promise.resolve(),
    managers,
    hello: () => HELLO,
    greeting: () => [STATUSES],
    onAssignments: () => gap,
    onPayloads: () => undefined,
    onTable: () => undefined,
    onOpen: () => undefined,
    onStream: () => undefined,
    onEnd: () => undefined,
    clock,
    logger: createLogger('silent'),
    random: () => 1,
  });
  await settle();
  const last = (): FakeAgentSession => {
    const stream = opened.at(-1);
    if (stream === undefined) throw new Error('no session was opened');
    return stream;
  };
  return { clock, opened, session, last };
}

const lost = new BaleError('cannot reach', { kind: 'unavailable', code: 'BALE_MANAGER_UNREACHABLE' });

describe('a session', () => {
  test('begins with a hello; after the welcome comes all that the manager must know, then heartbeats', async () => {
    const { clock, session, last } = await bench();
    expect(last().kinds()).toEqual(['hello']);
    expect(session.state).toMatchObject({ kind: 'connecting' });
    last().welcome([], 400);
    expect(session.state).toEqual({ kind: 'connected', manager: 'm1:2377' });
    expect(last().kinds()).toEqual(['hello', 'statuses']);
    await clock.advance(1200);
    expect(last().kinds()).toEqual(['hello', 'statuses', 'heartbeat', 'heartbeat', 'heartbeat']);
  });

  test('takes a new heartbeat period from a later welcome', async () => {
    const { clock, last } = await bench();
    last().welcome([], 400);
    last().welcome([], 1000);
    await clock.advance(1999);
    expect(
      last()
        .kinds()
        .filter((kind) => kind === 'heartbeat'),
    ).toHaveLength(1);
  });

  test('says goodbye when it is closed, and opens no other', async () => {
    const { clock, opened, session, last } = await bench();
    last().welcome();
    const closing = session.close();
    await clock.advance(100);
    await closing;
    expect(last().kinds().at(-1)).toBe('goodbye');
    expect(last().ended).toBe(true);
    await clock.advance(60_000);
    expect(opened).toHaveLength(1);
  });

  test('that was never welcomed closes without a goodbye', async () => {
    const { session, last } = await bench();
    await session.close();
    expect(last().kinds()).toEqual(['hello']);
  });
});

describe('a session that ends', () => {
  test('is opened again soon, then ever more slowly', async () => {
    const { clock, opened, session, last } = await bench();
    const times: number[] = [];
    for (let attempt = 0; attempt < 9; attempt += 1) {
      const count = opened.length;
      const began = clock.now();
      last().end(lost);
      expect(session.state).toMatchObject({ kind: 'connecting', error: 'cannot reach' });
      while (opened.length === count) await clock.advance(50);
      times.push(clock.now() - began);
    }
    expect(times).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  });

  test('is opened again at once after it held for long', async () => {
    const { clock, opened, last } = await bench();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      last().end(lost);
      await clock.advance(5000);
    }
    last().welcome();
    await clock.advance(5000);
    const count = opened.length;
    last().end();
    await clock.advance(100);
    expect(opened.length).toBe(count + 1);
  });

  test('is tried with each manager in turn; a welcome replaces them', async () => {
    const { clock, opened, session, last } = await bench(['a:1', 'b:1']);
    last().end(lost);
    await clock.advance(100);
    expect(opened.map((stream) => stream.addr)).toEqual(['a:1', 'b:1']);
    last().welcome(['c:1']);
    expect(session.managers).toEqual(['c:1']);
    last().end(lost);
    await clock.advance(400);
    expect(last().addr).toBe('c:1');
  });

  test('is dropped when no welcome comes', async () => {
    const { clock, opened, last } = await bench();
    const first = last();
    await clock.advance(5000);
    expect(first.ended).toBe(true);
    await clock.advance(200);
    expect(opened).toHaveLength(2);
  });

  test('is opened again when a message was lost', async () => {
    const { clock, opened, session, last } = await bench(['m1:2377'], 'assignments apply to set 4');
    const first = last();
    first.welcome();
    first.receive({
      kind: 'assignments',
      assignments: { kind: 'incremental', appliesTo: 4, resultsIn: 5, set: [], remove: [] },
    });
    expect(first.ended).toBe(true);
    expect(session.state).toMatchObject({ error: 'a message of the manager was lost: assignments apply to set 4' });
    await clock.advance(100);
    expect(opened).toHaveLength(2);
  });
});

test('a session that cannot even be attempted is tried again', async () => {
  const clock = new FakeClock();
  let attempts = 0;
  const session = new Session({
    open: () => {
      attempts += 1;
      throw new Error('bad key');
    },
    ready: Promise.resolve(),
    managers: ['m1:2377'],
    hello: () => HELLO,
    greeting: () => [],
    onAssignments: () => undefined,
    onPayloads: () => undefined,
    onTable: () => undefined,
    onOpen: () => undefined,
    onStream: () => undefined,
    onEnd: () => undefined,
    clock,
    logger: createLogger('silent'),
    random: () => 1,
  });
  await clock.advance(300);
  expect(attempts).toBe(3);
  expect(session.state).toMatchObject({ kind: 'connecting', error: 'bad key' });
  await session.close();
});

describe('a cluster that refuses the node', () => {
  const removed = new BaleError('node n1 was removed', { kind: 'forbidden', code: 'BALE_NODE_REMOVED' });

  test('is asked again seldom, and the state says why', async () => {
    const { clock, opened, session, last } = await bench();
    last().end(removed);
    expect(session.state).toEqual({ kind: 'refused', error: removed });
    await clock.advance(29_999);
    expect(opened).toHaveLength(1);
    await clock.advance(1);
    expect(opened).toHaveLength(2);
    last().welcome();
    expect(session.state).toMatchObject({ kind: 'connected' });
  });
});
