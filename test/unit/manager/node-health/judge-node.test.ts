import { describe, expect, it } from 'vitest';
import {
  judgeNode,
  REGISTRATION_WINDOW,
  VOUCH_LIMIT,
  type Link,
  type NodeFacts,
  type ProbeFacts,
} from '../../../../manager/node-health/judge-node.js';

const GRACE = 2_250;
const OPEN: Link = { kind: 'open', engineError: '' };
const BROKEN: Link = { kind: 'broken' };
const GOODBYE: Link = { kind: 'goodbye' };
const UNHEARD: Link = { kind: 'unheard' };

/** A ready node that was heard last at 0. */
const facts = (now: number, link: Link, probe: Partial<ProbeFacts> = {}, over: Partial<NodeFacts> = {}): NodeFacts => ({
  stored: { state: 'ready', message: '' },
  link,
  silentSince: 0,
  probe: { possible: true, underWay: false, refusals: 0, ...probe },
  lost: false,
  grace: GRACE,
  now,
  ...over,
});

describe('a node with a session', () => {
  it('is ready while its heartbeats come', () => {
    expect(judgeNode(facts(600, OPEN))).toMatchObject({ state: 'ready', suspect: false, probe: false, wakeAt: 1_125 });
  });

  it('is down while its Engine is, with the words of the Engine', () => {
    const verdict = judgeNode(facts(0, { kind: 'open', engineError: 'socket gone' }));
    expect(verdict).toMatchObject({ state: 'down', message: 'Docker Engine: socket gone', suspect: false });
  });

  it('is suspect, and its mesh is asked, when beats are missing', () => {
    expect(judgeNode(facts(1_200, OPEN))).toMatchObject({ state: 'ready', suspect: true, probe: true });
  });

  it('is down when it was silent for the grace and its mesh is silent too', () => {
    expect(judgeNode(facts(GRACE - 1, OPEN, { lastEnd: 2_000 })).state).toBe('ready');
    expect(judgeNode(facts(GRACE, OPEN, { lastEnd: 2_000 }))).toMatchObject({
      state: 'down',
      lost: true,
      message: 'heartbeat lost 2.3 s ago',
    });
  });

  it('is ready again as soon as it is heard', () => {
    const stored = { state: 'down', message: 'heartbeat lost 2.3 s ago' } as const;
    expect(judgeNode(facts(9_000, OPEN, {}, { stored, silentSince: 8_999 }))).toMatchObject({
      state: 'ready',
      message: '',
    });
  });
});

describe('a node whose session broke', () => {
  it('is suspect and asked at once', () => {
    expect(judgeNode(facts(0, BROKEN))).toMatchObject({ state: 'ready', suspect: true, probe: true });
  });

  it('is asked again 300 ms after an answer, and not while one is awaited', () => {
    expect(judgeNode(facts(100, BROKEN, { lastEnd: 5, refusals: 1 }))).toMatchObject({ probe: false, wakeAt: 305 });
    expect(judgeNode(facts(305, BROKEN, { lastEnd: 5, refusals: 1 })).probe).toBe(true);
    expect(judgeNode(facts(305, BROKEN, { underWay: true }))).toMatchObject({ probe: false, wakeAt: GRACE });
  });

  it('is down when its mesh port refused twice', () => {
    expect(judgeNode(facts(310, BROKEN, { lastEnd: 309, refusals: 2 }))).toMatchObject({
      state: 'down',
      message: 'its daemon and mesh are gone (connection refused)',
    });
  });

  it('stays while its mesh vouches, and says so', () => {
    const verdict = judgeNode(facts(20_000, BROKEN, { lastEnd: 19_500, vouchedAt: 19_500 }));
    expect(verdict).toMatchObject({
      state: 'ready',
      message: 'its daemon does not answer; its mesh says that its containers run',
      suspect: true,
      wakeAt: 20_500,
    });
  });

  it('is down when the mesh that vouched falls silent', () => {
    const verdict = judgeNode(facts(10_000 + GRACE, BROKEN, { lastEnd: 12_000, vouchedAt: 10_000 }));
    expect(verdict).toMatchObject({ state: 'down', message: 'its daemon is gone for 12.3 s and its mesh for 2.3 s' });
  });

  it('is down after 30 s without its daemon, whatever its mesh says', () => {
    const vouched = { lastEnd: VOUCH_LIMIT - 10, vouchedAt: VOUCH_LIMIT - 10 };
    expect(judgeNode(facts(VOUCH_LIMIT - 1, BROKEN, vouched)).state).toBe('ready');
    expect(judgeNode(facts(VOUCH_LIMIT, BROKEN, vouched))).toMatchObject({
      state: 'down',
      message: 'its daemon did not return within 30.0 s',
    });
  });

  it('is not asked when nobody knows where, and is down after the grace', () => {
    expect(judgeNode(facts(0, BROKEN, { possible: false }))).toMatchObject({ probe: false, wakeAt: GRACE });
    expect(judgeNode(facts(GRACE, BROKEN, { possible: false })).state).toBe('down');
  });

  it('is not called down before a grace that was set longer than that', () => {
    const grace = 90_000;
    const vouched = { lastEnd: 40_000, vouchedAt: 40_000 };
    expect(judgeNode(facts(45_000, BROKEN, vouched, { grace })).state).toBe('ready');
    expect(judgeNode(facts(45_000, UNHEARD, { lastEnd: 44_900 }, { grace })).state).toBe('ready');
  });

  it('keeps what was said of it when it was down by its Engine', () => {
    const stored = { state: 'down', message: 'Docker Engine: gone' } as const;
    const vouched = { lastEnd: 100, vouchedAt: 100 };
    expect(judgeNode(facts(200, BROKEN, vouched, { stored }))).toMatchObject({ ...stored, suspect: false });
  });
});

describe('a node that said goodbye', () => {
  it('is disconnected for as long as its mesh answers', () => {
    const hour = 3_600_000;
    expect(judgeNode(facts(hour, GOODBYE, { lastEnd: hour - 10, vouchedAt: hour - 10 }))).toMatchObject({
      state: 'disconnected',
      message: 'its daemon was stopped; its containers run on',
    });
  });

  it('has the grace even where its mesh is restarted with it', () => {
    expect(judgeNode(facts(1_000, GOODBYE, { lastEnd: 900, refusals: 3 })).state).toBe('disconnected');
    expect(judgeNode(facts(GRACE, GOODBYE, { lastEnd: 2_200, refusals: 7 })).state).toBe('down');
  });

  it('is down when its mesh falls silent', () => {
    const verdict = judgeNode(facts(60_000, GOODBYE, { lastEnd: 59_000, vouchedAt: 60_000 - GRACE }));
    expect(verdict).toMatchObject({ state: 'down', message: 'its daemon was stopped and its mesh does not answer' });
  });

  it('is not better than before when it was down', () => {
    const stored = { state: 'down', message: 'Docker Engine: gone' } as const;
    expect(judgeNode(facts(10, GOODBYE, {}, { stored })).state).toBe('down');
  });
});

describe('a node that this manager has not heard yet', () => {
  it('is not called down within the registration window', () => {
    expect(judgeNode(facts(REGISTRATION_WINDOW - 1, UNHEARD, { lastEnd: 9_500 }))).toMatchObject({
      state: 'ready',
      suspect: true,
    });
    expect(judgeNode(facts(REGISTRATION_WINDOW, UNHEARD, { lastEnd: 9_500 }))).toMatchObject({
      state: 'down',
      message: 'its agent did not connect within 10.0 s',
    });
  });

  it('is down earlier when its mesh port refuses, once both could have started', () => {
    expect(judgeNode(facts(1_000, UNHEARD, { lastEnd: 900, refusals: 3 })).state).toBe('ready');
    expect(judgeNode(facts(GRACE, UNHEARD, { lastEnd: 2_200, refusals: 7 })).state).toBe('down');
  });

  it('stays unknown while it has just joined', () => {
    const stored = { state: 'unknown', message: 'joined' } as const;
    expect(judgeNode(facts(5_000, UNHEARD, { possible: false }, { stored }))).toMatchObject({
      ...stored,
      wakeAt: REGISTRATION_WINDOW,
    });
  });

  it('stays down when it was down', () => {
    const stored = { state: 'down', message: 'heartbeat lost 2.3 s ago' } as const;
    const verdict = judgeNode(facts(90_000, UNHEARD, {}, { stored, lost: true }));
    expect(verdict).toMatchObject({ ...stored, probe: false });
    expect(verdict.wakeAt).toBeUndefined();
  });
});

describe('a node that leaves', () => {
  it('is down from that moment, although it still talks', () => {
    expect(judgeNode(facts(0, { kind: 'left' }))).toMatchObject({ state: 'down', message: 'left the cluster' });
  });
});

describe('every verdict', () => {
  it('that waits names a time to come at which it changes or asks', () => {
    for (const link of [OPEN, BROKEN, GOODBYE, UNHEARD]) {
      for (const vouchedAt of [undefined, 400]) {
        for (let now = 500; now < 40_000; now += 100) {
          const probe = { lastEnd: now - 10, ...(vouchedAt === undefined ? {} : { vouchedAt }) };
          const verdict = judgeNode(facts(now, link, probe));
          if (verdict.lost) continue;
          expect(verdict.wakeAt, `${link.kind} at ${now}`).toBeGreaterThan(now);
          expect(verdict.wakeAt).toBeLessThan(Infinity);
        }
      }
    }
  });
});
