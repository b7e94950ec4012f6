import { expect, test } from 'vitest';
import { startHosts } from '../support/hosts.js';
import { TEST_IMAGE } from '../support/test-image.js';

test('three Engines start, run containers and reach each other', async () => {
  await using hosts = await startHosts(3, { daemons: false });
  for (const host of hosts.all) {
    const id = (await host.docker('run', '-d', '--hostname', host.name, TEST_IMAGE)).trim();
    const address = await host.docker('inspect', '-f', '{{.NetworkSettings.IPAddress}}', id);
    const { stdout } = await host.run('busybox', ['wget', '-qO-', `http://${address.trim()}/`]);
    expect(stdout.trim()).toBe(host.name);
  }
  const { code } = await hosts.host(1).run('busybox', ['ping', '-c', '1', '-W', '2', hosts.host(3).address]);
  expect(code).toBe(0);
});
