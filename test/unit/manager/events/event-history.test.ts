import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../../../../core/logger.js';
import type { ClusterEvent } from '../../../../manager/events/cluster-event.js';
import { EventHistory, OBJECTS_KEPT, TASKS_KEPT } from '../../../../manager/events/event-history.js';
import { openStore } from '../../../../manager/store/store.js';
import type { Store } from '../../../../manager/store/store-types.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { memoryJournal, MemoryDisk } from '../../../support/memory-journal.js';
import { draftService, draftTask } from '../../../support/stored-objects.js';

async function open(): Promise<{ store: Store; history: EventHistory }> {
  const clock = new FakeClock();
  const store = await openStore({ journal: memoryJournal(new MemoryDisk()), clock, logger: createLogger('silent') });
  const history = new EventHistory(store, clock);
  onTestFinished(async () => {
    await history.close();
    await store.close();
  });
  return { store, history };
}

const names = (events: readonly ClusterEvent[]): readonly (string | undefined)[] =>
  events.map(({ attributes }) => attributes.name);

test('tasks do not push the events of services out, and memory is bounded', async () => {
  const { store, history } = await open();
  await store.update((tx) => tx.put('service', draftService('s', { name: 'web' })));
  await store.update((tx) => {
    for (let number = 0; number < TASKS_KEPT + 10; number += 1) tx.put('task', draftTask(`t${number}`, 's'));
  });
  expect(history.past()).toHaveLength(TASKS_KEPT + 1);
  expect(names(history.past())[0]).toBe('web');
  await store.update((tx) => {
    for (let number = 0; number < OBJECTS_KEPT + 5; number += 1) tx.put('service', draftService(`x${number}`));
  });
  expect(history.past()).toHaveLength(TASKS_KEPT + OBJECTS_KEPT);
  const numbers = history.past().map(({ number }) => number);
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
});

test('past and what comes meet without a gap and without a repetition', async () => {
  const { store, history } = await open();
  const others: string[] = [];
  history.subscribe((events) => others.push(...events.map(({ id }) => id)));
  await store.update((tx) => tx.put('service', draftService('before')));
  // The first listener has not been told yet.
  const past = history.past().map(({ id }) => id);
  const seen: string[] = [];
  const whole = new Promise<void>((resolve) => {
    history.subscribe((events) => {
      seen.push(...events.map(({ id }) => id));
      if (seen.includes('after')) resolve();
    });
  });
  await store.update((tx) => tx.put('service', draftService('after')));
  await whole;
  expect(past).toEqual(['before']);
  expect(seen).toEqual(['after']);
  expect(others).toEqual(['before', 'after']);
});
