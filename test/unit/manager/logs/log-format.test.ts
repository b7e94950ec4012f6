import { describe, expect, test } from 'vitest';
import { LogBatch } from '../../../../manager/logs/log-batch.js';
import { formatFailure, type LogForm } from '../../../../manager/logs/log-format.js';
import type { LogMessage } from '../../../../manager/logs/log-parser.js';

const CONTEXT = { nodeId: 'n1', serviceId: 's1', taskId: 't1' };
const TIME = '2026-01-01T00:00:00.000000001Z';
const IDS = 'com.docker.swarm.node.id=n1,com.docker.swarm.service.id=s1,com.docker.swarm.task.id=t1';
const message = (over: Partial<LogMessage> = {}): LogMessage => ({
  stream: 'stdout',
  timestamp: TIME,
  details: '',
  line: Buffer.from('hällo\n'),
  ...over,
});
function formatMessage(message: LogMessage, context: typeof CONTEXT, form: LogForm): Buffer {
  const batch = new LogBatch(form, 16);
  batch.add(message, context);
  return batch.take();
}
const shown = (over: Partial<LogMessage>, timestamps: boolean, details: boolean, multiplexed = false): string =>
  formatMessage(message(over), CONTEXT, { multiplexed, options: { timestamps, details } }).toString();

describe('a line of a log', () => {
  test('is what was written, with time and ids when asked for', () => {
    expect(shown({}, false, false)).toBe('hällo\n');
    expect(shown({}, true, false)).toBe(`${TIME} hällo\n`);
    expect(shown({}, false, true)).toBe(`${IDS} hällo\n`);
    expect(shown({}, true, true)).toBe(`${TIME} ${IDS} hällo\n`);
  });

  test('has the details of the log driver among the ids, by key, and not in their place', () => {
    expect(shown({ details: 'aa=1,z=2' }, false, true)).toBe(`aa=1,${IDS},z=2 hällo\n`);
    expect(shown({ details: 'com.docker.swarm.task.id=forged' }, false, true)).toBe(`${IDS} hällo\n`);
  });

  test.each([
    ['stdout', 1],
    ['stderr', 2],
  ] as const)('of %s is a frame with its kind and its length in bytes', (stream, kind) => {
    const bytes = formatMessage(message({ stream }), CONTEXT, {
      multiplexed: true,
      options: { timestamps: false, details: false },
    });
    expect([...bytes.subarray(0, 8)]).toEqual([kind, 0, 0, 0, 0, 0, 0, 7]);
    expect(bytes.subarray(8).toString()).toBe('hällo\n');
  });

  test('that tells of missing logs is in the words of Swarm, and an error to its clients', () => {
    const form = { multiplexed: true, options: { timestamps: true, details: true } };
    const bytes = formatFailure(['node n1 is not available', 'task t2 has not been scheduled'], form);
    expect(bytes[0]).toBe(3);
    expect(bytes.readUInt32BE(4)).toBe(bytes.length - 8);
    expect(bytes.subarray(8).toString()).toBe(
      'Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream. some logs could not be retrieved for the following reasons: node n1 is not available, task t2 has not been scheduled\n',
    );
  });
});
