import { describe, expect, test } from 'vitest';
import { ProgressBoard, withBar } from '../../../cli/view/progress-board.js';
import {
  NOTHING_SEEN,
  serviceProgress,
  type ProgressLine,
  type ProgressMemory,
  type ProgressOutcome,
} from '../../../cli/view/service-progress.js';
import type { ServiceDocument, UpdateState } from '../../../proto/engine/service-document.js';
import type { TaskDocument } from '../../../proto/engine/task-document.js';
import type { TaskState } from '../../../proto/engine/task-state.js';
import { serviceDocument, taskDocument } from '../../support/documents.js';

const task = (Slot: number, State: TaskState, Err = ''): TaskDocument =>
  taskDocument(`t${Slot}`, { Slot, Status: { Timestamp: '2026-01-01T00:00:00Z', State, Message: '', Err } });

const inState = (State: UpdateState, Message: string, fields: Partial<ServiceDocument> = {}): ServiceDocument =>
  serviceDocument('web', 2, { UpdateStatus: { State, Message }, ...fields });

const UP = [task(1, 'running'), task(2, 'running')];
const HALF = [task(1, 'running'), task(2, 'preparing')];
const ROLLED: ProgressMemory = { rolled: true };
const DRAIN = 'web.2: draining on h2, 4 requests in flight, 12 s left';

interface Case {
  readonly service?: ServiceDocument;
  readonly tasks?: readonly TaskDocument[];
  readonly memory?: ProgressMemory;
  readonly now?: number;
  readonly lines: readonly string[];
  readonly outcome?: ProgressOutcome;
}

test.each<[string, Case]>([
  [
    'a service that starts',
    { tasks: HALF, lines: ['overall progress: 1 out of 2 tasks', '1/2: running', '2/2: preparing'] },
  ],
  [
    'a task that no node takes says why',
    {
      tasks: [task(1, 'pending', 'no suitable node (insufficient resources on 3 nodes)')],
      lines: ['overall progress: 0 out of 2 tasks', '1/2: no suitable node (insufficient resources on 3 nodes)'],
    },
  ],
  [
    'a wait that the line of the slot shows is not shown twice',
    {
      service: serviceDocument('web', 2, {
        waiting: ['web.1: pending: no room', 'web.2: preparing: pulling image', 'web.2: starting: starting'],
      }),
      tasks: [task(1, 'pending', 'no room'), task(2, 'preparing')],
      lines: [
        'overall progress: 0 out of 2 tasks',
        '1/2: no room',
        '2/2: preparing',
        'web.2: preparing: pulling image',
      ],
    },
  ],
  [
    'a long error is cut to one line',
    {
      tasks: [task(1, 'rejected', `${'x'.repeat(200)}\n${'y'.repeat(50)}`)],
      lines: ['overall progress: 0 out of 2 tasks', `1/2: ${'x'.repeat(200)} ${'y'.repeat(38)}…`],
    },
  ],
  [
    'more than twenty slots are not shown one by one',
    {
      service: serviceDocument('web', 21),
      tasks: Array.from({ length: 21 }, (_, slot) => task(slot + 1, 'starting')),
      lines: ['overall progress: 0 out of 21 tasks'],
    },
  ],
  [
    'all run: they are watched',
    {
      lines: [
        'overall progress: 2 out of 2 tasks',
        '1/2: running',
        '2/2: running',
        'verify: Waiting 5 seconds to verify that tasks are stable...',
      ],
    },
  ],
  [
    'all ran for the monitor period',
    {
      memory: { rolled: false, stableSince: 1_000 },
      now: 6_000,
      lines: ['overall progress: 2 out of 2 tasks', '1/2: running', '2/2: running', 'verify: Service web converged'],
      outcome: { kind: 'done' },
    },
  ],
  [
    'one failed while watched',
    {
      tasks: HALF,
      memory: { rolled: false, stableSince: 1_000 },
      lines: ['overall progress: 1 out of 2 tasks', '1/2: running', '2/2: preparing', 'verify: Detected task failure'],
    },
  ],
  [
    'no replicas are wanted',
    {
      service: serviceDocument('web', 0),
      tasks: [],
      lines: ['overall progress: 0 out of 0 tasks', 'verify: Service web converged'],
      outcome: { kind: 'done' },
    },
  ],
  [
    'scaled down: what leaves is waited for',
    {
      service: serviceDocument('web', 0, { waiting: [DRAIN] }),
      tasks: [],
      lines: ['overall progress: 0 out of 0 tasks', DRAIN],
    },
  ],
  [
    'an update, with the wait of each slot',
    {
      service: inState('updating', 'update in progress', { waiting: ['web.1: to be updated', DRAIN] }),
      tasks: [task(2, 'running')],
      lines: ['overall progress: 1 out of 2 tasks', '2/2: running', 'web.1: to be updated', DRAIN],
    },
  ],
  [
    'an update that is stop-first says why',
    {
      service: inState(
        'updating',
        'update in progress; stop-first, because host-mode port 80/tcp cannot be bound twice',
      ),
      tasks: HALF,
      lines: [
        'update: stop-first, because host-mode port 80/tcp cannot be bound twice',
        'overall progress: 1 out of 2 tasks',
        '1/2: running',
        '2/2: preparing',
      ],
    },
  ],
  [
    'an update whose tasks all run goes on until the daemon has watched them',
    {
      service: inState('updating', 'update in progress'),
      memory: { rolled: true, stableSince: 0 },
      now: 9_000,
      lines: [
        'overall progress: 2 out of 2 tasks',
        '1/2: running',
        '2/2: running',
        'verify: Waiting for the update to end...',
      ],
    },
  ],
  [
    'an update that ended is not watched again',
    {
      service: inState('completed', 'update completed'),
      memory: ROLLED,
      lines: ['overall progress: 2 out of 2 tasks', '1/2: running', '2/2: running', 'verify: Service web converged'],
      outcome: { kind: 'done' },
    },
  ],
  [
    'an update that ended with slots given up is not waited for',
    {
      service: inState('completed', 'update completed; slots that do not run what it asks for: 2'),
      tasks: HALF,
      memory: ROLLED,
      lines: [
        'update: update completed; slots that do not run what it asks for: 2',
        'overall progress: 1 out of 2 tasks',
        '1/2: running',
        '2/2: preparing',
      ],
      outcome: { kind: 'done' },
    },
  ],
  [
    'an update that ended before says nothing about now',
    {
      service: inState('completed', 'update completed'),
      tasks: HALF,
      lines: ['overall progress: 1 out of 2 tasks', '1/2: running', '2/2: preparing'],
    },
  ],
  [
    'a paused update is an error',
    {
      service: inState('paused', 'update paused due to failure or early termination of task t2'),
      tasks: [task(2, 'failed', 'task: non-zero exit (1)')],
      memory: ROLLED,
      lines: ['overall progress: 0 out of 2 tasks', '2/2: task: non-zero exit (1)'],
      outcome: {
        kind: 'failed',
        message: 'service update paused: update paused due to failure or early termination of task t2',
      },
    },
  ],
  [
    'a rollback says why it began',
    {
      service: inState('rollback_started', 'update rolled back due to failure or early termination of task t2'),
      tasks: HALF,
      lines: [
        'rollback: update rolled back due to failure or early termination of task t2',
        'overall progress: rolling back update: 1 out of 2 tasks',
        '1/2: running',
        '2/2: preparing',
      ],
    },
  ],
  [
    'a rollback that ended still says why it began',
    {
      service: inState('rollback_completed', 'rollback completed'),
      memory: { rolled: true, cause: 'update rolled back due to x' },
      lines: [
        'rollback: update rolled back due to x',
        'rollback: rollback completed',
        'overall progress: rolling back update: 2 out of 2 tasks',
        '1/2: running',
        '2/2: running',
        'verify: Service web converged',
      ],
      outcome: { kind: 'done' },
    },
  ],
  [
    'a paused rollback is an error',
    {
      service: inState('rollback_paused', 'rollback paused due to x'),
      memory: { rolled: true, cause: 'y' },
      lines: ['rollback: y', 'overall progress: rolling back update: 2 out of 2 tasks', '1/2: running', '2/2: running'],
      outcome: { kind: 'failed', message: 'service rollback paused: rollback paused due to x' },
    },
  ],
])('progress: %s', (_, { service, tasks = UP, memory = NOTHING_SEEN, now = 1_000, lines, outcome }) => {
  const progress = serviceProgress({ name: 'web', service: service ?? serviceDocument('web', 2), tasks, now }, memory);
  expect(progress.lines.map(({ text }) => text)).toEqual(lines);
  expect(progress.outcome).toEqual(outcome ?? { kind: 'going' });
});

test('the monitor period of the service counts, of its rollback while it is rolled back', () => {
  const Spec = {
    ...serviceDocument('web', 2).Spec,
    UpdateConfig: { Parallelism: 1, Monitor: 20e9 },
    RollbackConfig: { Parallelism: 1, Monitor: 30e9 },
  };
  const verifyOf = (service: ServiceDocument): string | undefined =>
    serviceProgress({ name: 'web', service, tasks: UP, now: 0 }, NOTHING_SEEN).lines.at(-1)?.text;
  expect(verifyOf(serviceDocument('web', 2, { Spec }))).toContain('Waiting 20 seconds');
  expect(verifyOf(inState('rollback_started', '', { Spec }))).toContain('Waiting 30 seconds');
});

describe('the board', () => {
  const lines = (...texts: readonly string[]): readonly ProgressLine[] =>
    texts.map((text) => ({ key: text.split(/[:.]/, 1)[0] ?? '', text }));

  const boardOn = (terminal: { columns: number; rows: number } | undefined, quiet = false) => {
    const printed: string[] = [];
    const context = {
      connect: () => Promise.reject(new Error('not here')),
      print: (text: string) => void printed.push(text),
      warn: () => undefined,
      copy: () => undefined,
      streams: () => ({ input: process.stdin, output: process.stdout, error: process.stderr }),
      env: {},
      terminal,
      signal: new AbortController().signal,
    };
    return { board: new ProgressBoard(context, quiet), printed };
  };

  test('without a terminal each line is printed when it changes, counts aside', () => {
    const { board, printed } = boardOn(undefined);
    board.show(lines('overall: 1', 'web.2: draining on h2, 4 requests in flight, 12 s left'));
    board.show(lines('overall: 1', 'web.2: draining on h2, 1 request in flight, 11 s left'));
    board.show(lines('overall: 2', 'verify: Waiting 5 seconds to verify'));
    board.show(lines('overall: 2', 'verify: Waiting 4 seconds to verify'));
    board.show(lines('overall: 2', 'web.2: draining on h2, 4 requests in flight, 12 s left'));
    expect(printed).toEqual([
      'overall: 1\n',
      'web.2: draining on h2, 4 requests in flight, 12 s left\n',
      'overall: 2\n',
      'verify: Waiting 5 seconds to verify\n',
      'web.2: draining on h2, 4 requests in flight, 12 s left\n',
    ]);
  });

  test('on a terminal it is drawn over; long lines go on in the next one while there is room', () => {
    const { board, printed } = boardOn({ columns: 8, rows: 4 });
    board.show(lines('a: 1', 'b: 234567890'));
    board.show(lines('a: 2'));
    board.show(lines('a: 1', 'b: 234567890', 'c: 3'));
    board.end();
    board.show(lines('c: 3'));
    expect(printed).toEqual([
      '\u001b[2Ka: 1\n\u001b[2Kb: 2345\n\u001b[2K67890\n\u001b[J',
      '\u001b[3A\u001b[2Ka: 2\n\u001b[J',
      '\u001b[1A\u001b[2Ka: 1\n\u001b[2Kb: 2345\n\u001b[2Kc: 3\n\u001b[J',
      '\u001b[2Kc: 3\n\u001b[J',
    ]);
  });

  test('quiet', () => {
    const { board, printed } = boardOn(undefined, true);
    board.show(lines('a: 1'));
    expect(printed).toEqual([]);
  });

  test('a wide terminal gets bars', () => {
    expect(withBar({ key: 'slot 1', text: '1/2: ready', step: 4 }, 120)).toBe(
      `1/2: ready     [${'='.repeat(25)}>${' '.repeat(25)}]`,
    );
    expect(withBar({ key: 'slot 1', text: '1/2: ready', step: 4 }, 80)).toBe('1/2: ready');
    expect(withBar({ key: 'slot 1', text: '1/2: exit: 1' }, 120)).toBe('1/2: exit: 1');
  });
});
