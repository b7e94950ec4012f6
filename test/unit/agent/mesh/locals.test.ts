import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { Locals } from '../../../../agent/mesh/locals.js';

test('vouches for the very process it was told of, not for its number', async () => {
  const child = spawn('sleep', ['60']);
  const locals = new Locals();
  const pid = child.pid ?? 0;
  locals.replace([
    { taskId: 'lives', address: '10.0.0.2', pid },
    { taskId: 'never', address: '10.0.0.3', pid: 0 },
  ]);
  expect(locals.vouch()).toEqual({ alive: ['lives'], dead: ['never'] });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(locals.vouch()).toEqual({ alive: [], dead: ['lives', 'never'] });
  expect(locals.get('lives')?.address).toBe('10.0.0.2');
});

test('what is told anew replaces all that was told before', () => {
  const locals = new Locals();
  locals.replace([{ taskId: 'a', address: '10.0.0.2', pid: process.pid }]);
  locals.replace([{ taskId: 'b', address: '10.0.0.3', pid: process.pid }]);
  expect(locals.get('a')).toBeUndefined();
  expect(locals.vouch()).toEqual({ alive: ['b'], dead: [] });
});
