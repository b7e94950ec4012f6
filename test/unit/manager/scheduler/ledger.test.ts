import { describe, expect, test } from 'vitest';
import { FailureWindow } from '../../../../manager/scheduler/failure-window.js';
import { Ledger } from '../../../../manager/scheduler/ledger.js';
import type { TaskObject } from '../../../../manager/store/objects.js';
import { ingressPort, storedTask } from '../../../support/stored-objects.js';

const hostPort = { ...ingressPort(80, 80), PublishMode: 'host' as const };
const task: TaskObject = storedTask('a', 'web', {
  nodeId: 'n1',
  hostPorts: [hostPort],
  spec: { ContainerSpec: { Image: '' }, Resources: { Reservations: { NanoCPUs: 5e8, MemoryBytes: 1024 } } },
});
const ended: TaskObject = { ...task, status: { ...task.status, State: 'failed' } };

describe('the ledger', () => {
  test('counts a task once, however often it is told', () => {
    const ledger = new Ledger();
    ledger.set('a', task);
    ledger.set('a', { ...task });
    const account = ledger.account('n1');
    expect(account.reserved).toEqual({ nanoCpus: 5e8, memoryBytes: 1024 });
    expect([account.tasks, account.tasksOf('web'), account.takes('80/tcp')]).toEqual([1, 1, true]);
  });

  test('a task that is to stop holds its room until it has stopped', () => {
    const ledger = new Ledger();
    ledger.set('a', task);
    expect(ledger.set('a', { ...task, desiredState: 'shutdown' })).toBe(false);
    expect(ledger.account('n1')).toMatchObject({ tasks: 0, reserved: { memoryBytes: 1024 } });
    expect(ledger.account('n1').takes('80/tcp')).toBe(true);
    expect(ledger.set('a', ended)).toBe(true);
    expect(ledger.account('n1')).toMatchObject({ tasks: 0, reserved: { nanoCpus: 0, memoryBytes: 0 } });
    expect(ledger.account('n1').takes('80/tcp')).toBe(false);
  });

  test('a deleted task frees its room, once', () => {
    const ledger = new Ledger();
    ledger.set('a', task);
    expect(ledger.set('a', undefined)).toBe(true);
    expect(ledger.set('a', undefined)).toBe(false);
  });

  test('a host port without a number takes nothing', () => {
    const ledger = new Ledger();
    ledger.set('a', { ...task, hostPorts: [{ ...hostPort, PublishedPort: 0 }] });
    expect(ledger.account('n1').takes('0/tcp')).toBe(false);
  });
});

describe('the failure window', () => {
  test('counts the last five minutes of the newest version on each node', () => {
    const failures = new FailureWindow();
    failures.record('web', 1, 'n1', 0);
    failures.record('web', 1, 'n1', 1_000);
    expect(failures.count('web', 1, 'n1', 300_000)).toBe(1);
    expect(failures.count('web', 1, 'n2', 0)).toBe(0);
    failures.record('web', 2, 'n1', 2_000);
    failures.record('web', 1, 'n1', 2_000);
    expect(failures.count('web', 1, 'n1', 2_000)).toBe(0);
    expect(failures.count('web', 2, 'n1', 2_000)).toBe(1);
    failures.forget('web');
    expect(failures.count('web', 2, 'n1', 2_000)).toBe(0);
  });
});
