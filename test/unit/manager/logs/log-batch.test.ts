import { expect, test } from 'vitest';
import { LogBatch } from '../../../../manager/logs/log-batch.js';
import type { LogMessage } from '../../../../manager/logs/log-parser.js';

const message = (text: string, details = ''): LogMessage => ({
  stream: 'stdout',
  timestamp: '2026-01-01T00:00:00.000000001Z',
  details,
  line: Buffer.from(text),
});
const of = (taskId: string): { nodeId: string; serviceId: string; taskId: string } => ({
  nodeId: 'n1',
  serviceId: 's1',
  taskId,
});
const PREFIX = 'com.docker.swarm.node.id=n1,com.docker.swarm.service.id=s1,com.docker.swarm.task.id=';
const FORM = { multiplexed: false, options: { timestamps: false, details: true } };

test('lines of several tasks stand one behind the other, each with its own details, however little room there was', () => {
  const batch = new LogBatch(FORM, 10);
  const [one, two] = [of('t1'), of('t2')];
  batch.add(message('a\n'), one);
  batch.add(message('b\n'), two);
  batch.add(message('c\n', 'k=v'), one);
  batch.add(message('d\n'), one);
  const text = `${PREFIX}t1 a\n${PREFIX}t2 b\n${PREFIX}t1,k=v c\n${PREFIX}t1 d\n`;
  expect(batch.length).toBe(text.length);
  expect(batch.take().toString()).toBe(text);
});

test('what was taken stays as it is while the batch is filled again', () => {
  const batch = new LogBatch({ ...FORM, multiplexed: true, options: { timestamps: true, details: false } }, 1000);
  batch.add(message('first\n'), of('t1'));
  const taken = batch.take();
  const copy = Buffer.from(taken);
  expect(batch.length).toBe(0);
  batch.add(message('other\n'), of('t1'));
  expect(taken).toEqual(copy);
  expect(batch.take().subarray(8).toString()).toBe('2026-01-01T00:00:00.000000001Z other\n');
});
