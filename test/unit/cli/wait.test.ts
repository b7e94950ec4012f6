import { expect, test } from 'vitest';
import { runCli } from '../../../cli/main.js';
import type { ServiceDocument } from '../../../proto/engine/service-document.js';
import { serviceDocument, taskDocument } from '../../support/documents.js';
import { scriptedDaemon } from '../../support/scripted-daemon.js';

/** A daemon with these services, each with one task that runs. */
const daemonWith = (...services: readonly ServiceDocument[]) =>
  scriptedDaemon((request) => {
    if (request === 'GET /tasks') return { body: [taskDocument('t')] };
    const service = services.find(({ Spec }) => request.startsWith(`GET /services/${Spec.Name}`));
    return service === undefined ? { body: { Warnings: ['mind the gap'] } } : { body: service };
  });

const paused = (name: string): ServiceDocument =>
  serviceDocument(name, 1, { UpdateStatus: { State: 'paused', Message: `update paused due to task of ${name}` } });

test('an update that is paused ends with its words and a failure', async () => {
  await using daemon = await daemonWith(paused('web'));
  const { code, out, err } = await run(daemon.host, 'service', 'update', '--force', 'web');
  expect({ code, err }).toEqual({
    code: 1,
    err: 'mind the gap\nservice update paused: update paused due to task of web\n',
  });
  expect(out).toBe('web\noverall progress: 1 out of 1 tasks\n1/1: running\n');
});

test('what the tasks are warned of is said at the end', async () => {
  await using daemon = await daemonWith({ ...paused('web'), warnings: ['volume data stays behind'] });
  const { err } = await run(daemon.host, 'service', 'update', '--force', 'web');
  expect(err).toContain('warning: volume data stays behind\n');
});

test('of several services each that is paused is named', async () => {
  await using daemon = await daemonWith(paused('a'), paused('b'));
  const { code, err } = await run(daemon.host, 'service', 'scale', 'a=1', 'b=1');
  expect({ code, err }).toEqual({
    code: 1,
    err: 'a: service update paused: update paused due to task of a\nb: service update paused: update paused due to task of b\n',
  });
});

test('Ctrl-C leaves an update going on and says so', async () => {
  await using daemon = await daemonWith(
    serviceDocument('web', 1, {
      UpdateStatus: { State: 'updating', Message: 'update in progress' },
      waiting: ['web.1: draining on h2, 4 requests in flight, 12 s left'],
    }),
  );
  const out: string[] = [];
  const code = await runCli(['-H', daemon.host, 'service', 'update', '--force', 'web'], {
    print(text) {
      out.push(text);
      if (text.includes('draining on h2')) process.emit('SIGINT');
    },
    warn: () => undefined,
    terminal: undefined,
  });
  expect(code).toBe(0);
  expect(out.join('')).toMatch(
    /Operation continuing in background\.\nUse `bale service ps web` to check progress\.\n$/,
  );
});

test('quiet and detached updates print the name alone', async () => {
  await using daemon = await daemonWith(paused('web'));
  expect((await run(daemon.host, 'service', 'update', '-d', '--force', 'web')).out).toBe('web\n');
  expect((await run(daemon.host, 'service', 'update', '-q', '--force', 'web')).out).toBe('web\n');
});

async function run(host: string, ...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runCli(['-H', host, ...words], {
    print: (text) => void out.push(text),
    warn: (text) => void err.push(text),
    terminal: undefined,
  });
  return { code, out: out.join(''), err: err.join('') };
}
