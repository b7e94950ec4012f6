import { describe, expect, test } from 'vitest';
import { judgeLoss, judgeRestart } from '../../../../manager/orchestrator/restart.js';
import type { TaskObject } from '../../../../manager/store/objects.js';
import type { RestartPolicy } from '../../../../proto/engine/task-spec.js';
import type { TaskState } from '../../../../proto/engine/task-state.js';
import { storedTask } from '../../../support/stored-objects.js';

const NOW = 1_000_000;

interface Ended extends Partial<Pick<TaskObject, 'createdAt' | 'startAfter' | 'restarts' | 'desiredState'>> {
  readonly state?: TaskState;
  readonly err?: string;
  readonly policy?: RestartPolicy;
}

function ended({ state = 'failed', err = 'exit 1', policy, ...fields }: Ended = {}): TaskObject {
  const spec = { ContainerSpec: { Image: 'image' }, ...(policy === undefined ? {} : { RestartPolicy: policy }) };
  const status = { Timestamp: new Date(NOW).toISOString(), State: state, Message: '', Err: err };
  return { ...storedTask('old', 'web'), createdAt: NOW - 1_000, ...fields, spec, status };
}

describe('the restart condition', () => {
  test.each([
    { Condition: undefined, state: 'complete', restart: true },
    { Condition: undefined, state: 'failed', restart: true },
    { Condition: 'any', state: 'complete', restart: true },
    { Condition: 'any', state: 'shutdown', restart: true },
    { Condition: 'on-failure', state: 'complete', restart: false },
    { Condition: 'on-failure', state: 'failed', restart: true },
    { Condition: 'on-failure', state: 'rejected', restart: true },
    { Condition: 'none', state: 'failed', restart: false },
    { Condition: 'none', state: 'complete', restart: false },
  ] as const)('$Condition after $state: $restart', ({ Condition, state, restart }) => {
    const policy: RestartPolicy = Condition === undefined ? {} : { Condition };
    expect(judgeRestart(ended({ state, policy }), NOW).restart).toBe(restart);
  });

  test('a refusal says how the task ended and what forbids the restart', () => {
    expect(judgeRestart(ended({ policy: { Condition: 'none' } }), NOW).reason).toBe(
      'failed: exit 1; its restart condition is none',
    );
  });
});

describe('the delay', () => {
  const startAfter = (task: TaskObject): number | undefined => {
    const verdict = judgeRestart(task, NOW);
    return verdict.restart ? verdict.startAfter : undefined;
  };

  test('one that is given is obeyed as it is, also after a stable run', () => {
    expect(startAfter(ended({ policy: { Delay: 7e9 } }))).toBe(NOW + 7_000);
    expect(startAfter(ended({ policy: { Delay: 7e9 }, createdAt: NOW - 3_600_000 }))).toBe(NOW + 7_000);
  });

  test('a given delay of 0 means at once', () => {
    expect(startAfter(ended({ policy: { Delay: 0 } }))).toBeUndefined();
  });

  test('without one it doubles from 100 ms to 5 s while the task keeps failing', () => {
    const delays: number[] = [];
    let task = ended();
    let now = NOW;
    for (let attempt = 0; attempt < 9; attempt += 1) {
      const verdict = judgeRestart(task, now);
      if (!verdict.restart) throw new Error(verdict.reason);
      const start = verdict.startAfter ?? now;
      delays.push(start - now);
      task = ended({ createdAt: now, startAfter: start });
      now = start + 50;
    }
    expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  });

  test('a replacement stored a moment after its delay was decided still doubles it', () => {
    expect(startAfter(ended({ createdAt: NOW - 180, startAfter: NOW - 85 }))).toBe(NOW + 200);
  });

  test('it begins anew after a run of 10 s', () => {
    const waited5s = { createdAt: NOW - 15_000, startAfter: NOW - 10_000 };
    expect(startAfter(ended(waited5s))).toBe(NOW + 100);
    expect(startAfter(ended({ ...waited5s, startAfter: NOW - 9_999 }))).toBe(NOW + 5_000);
  });

  test('a task that was rejected never ran stably, however long its image took', () => {
    expect(startAfter(ended({ state: 'rejected', createdAt: NOW - 60_100, startAfter: NOW - 60_000 }))).toBe(NOW + 200);
  });

  test('a replacement that dies before its delay ended hands on the wait', () => {
    const waiting = { desiredState: 'ready', createdAt: NOW - 10, startAfter: NOW + 4_990 } as const;
    expect(startAfter(ended({ ...waiting, policy: { Delay: 1e9 } }))).toBe(NOW + 4_990);
    // But for one that was made before the clock was set back.
    const later = { createdAt: NOW + 300_000, startAfter: NOW + 305_000 };
    expect(startAfter(ended({ ...waiting, ...later, policy: { Delay: 1e9 } }))).toBe(NOW + 1_000);
  });
});

describe('the attempts', () => {
  const policy: RestartPolicy = { MaxAttempts: 2 };

  test('each restart is carried to the next task until there were enough', () => {
    const first = judgeRestart(ended({ policy }), NOW);
    expect(first).toMatchObject({ restart: true, restarts: [NOW] });
    const second = judgeRestart(ended({ policy, restarts: [NOW] }), NOW + 10);
    expect(second).toMatchObject({ restart: true, restarts: [NOW, NOW + 10] });
    const third = judgeRestart(ended({ policy, restarts: [NOW, NOW + 10] }), NOW + 20);
    expect(third).toEqual({
      restart: false,
      reason: 'failed: exit 1; it was restarted 2 times, as often as its policy allows',
    });
  });

  test('only those within the window count', () => {
    const windowed: RestartPolicy = { MaxAttempts: 2, Window: 5e9 };
    const restarts = [NOW - 5_000, NOW - 4_999];
    expect(judgeRestart(ended({ policy: windowed, restarts }), NOW)).toMatchObject({
      restart: true,
      restarts: [NOW - 4_999, NOW],
    });
  });

  test('nothing is carried when there is no limit', () => {
    expect(judgeRestart(ended(), NOW)).toMatchObject({ restarts: [] });
  });
});

describe('a lost node', () => {
  test('costs neither delay nor attempt', () => {
    const task = ended({ state: 'running', policy: { Delay: 5e9, MaxAttempts: 1 }, restarts: [NOW - 50] });
    expect(judgeLoss(task, NOW)).toEqual({ restart: true, restarts: [NOW - 50], reason: 'its node is lost' });
  });

  test('does not shorten a delay that the task was still waiting for', () => {
    const task = ended({ state: 'ready', desiredState: 'ready', startAfter: NOW + 3_000 });
    expect(judgeLoss(task, NOW)).toMatchObject({ startAfter: NOW + 3_000 });
  });

  test('is no reason to run again what shall run only once', () => {
    expect(judgeLoss(ended({ state: 'running', policy: { Condition: 'none' } }), NOW).restart).toBe(false);
  });
});
