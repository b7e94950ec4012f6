import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../../cli/main.js';
import { DaemonApi } from '../support/daemon-api.js';
import { Docker, dockerClients } from '../support/docker-client.js';

let house: DaemonApi;
beforeAll(async () => {
  house = await DaemonApi.start();
  const service = await house.create({ Name: 'web' });
  await house.update(service.ID, (spec) => ({ ...spec, Mode: { Replicated: { Replicas: 3 } } }));
  await house.ask('DELETE', `/services/${service.ID}`);
});
afterAll(() => house.end());

async function bale(...args: readonly string[]): Promise<string> {
  let printed = '';
  const output = { print: (text: string) => void (printed += text), warn: () => undefined, terminal: undefined };
  expect(await runCli(['--host', `unix://${house.manager.options.socket}`, ...args], output)).toBe(0);
  return printed;
}

describe.each(dockerClients())('events in $name', (client) => {
  test.each([
    [['--filter', 'type=service']],
    [['--filter', 'type=service', '--filter', 'event=update', '--format', '{{.Type}} {{.Actor.ID}} {{.Scope}}']],
    [['--filter', 'scope=swarm', '--filter', 'service=web']],
    [['--filter', 'type=service', '--format', '{{json .}}']],
  ])('%j are those of bale events', async (args) => {
    const docker = new Docker(client, house.manager.options.socket);
    const until = (Date.now() / 1000).toFixed(3);
    const words = ['events', '--since', '1h', '--until', until, ...args];
    const shown = await docker.must(...words);
    expect(shown).toContain('service');
    if (args.includes('{{json .}}')) {
      const actors = (text: string): readonly unknown[] =>
        text
          .trimEnd()
          .split('\n')
          .map((line) => (JSON.parse(line) as { readonly Actor: unknown }).Actor);
      expect(actors(await bale(...words))).toEqual(actors(shown));
    } else {
      expect(await bale(...words)).toBe(shown);
    }
  });
});
