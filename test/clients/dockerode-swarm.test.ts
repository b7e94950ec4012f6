import DockerApi from 'dockerode';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dockerodeSession } from '../support/docker-session/dockerode-steps.js';
import { differences, type Outcome } from '../support/docker-session/outcomes.js';
import { startHosts, type Hosts } from '../support/hosts.js';

let hosts: Hosts;
beforeAll(async () => {
  hosts = await startHosts(2);
});
afterAll(() => hosts[Symbol.asyncDispose]());

function session(
  socket: 'engineSocket' | 'baleSocket',
  port: number,
  publishedPort: number,
): Promise<readonly Outcome[]> {
  const [h1, h2] = [hosts.host(1), hosts.host(2)];
  return dockerodeSession({
    manager: new DockerApi({ socketPath: h1[socket] }),
    worker: new DockerApi({ socketPath: h2[socket] }),
    address: `${h1.address}:${port}`,
    own: `${h2.address}:${port}`,
    publishedPort,
  });
}

/** Steps whose outcome is another on purpose; the reasons stand in docs/compatibility.md. */
const DIFFERS: Readonly<Record<string, RegExp>> = {
  'join with a wrong token': /400.*the join token is not valid: it must have four parts/,
};

test('dockerode, unmodified, is told by bale what a Docker Swarm of the same Engines tells it', async () => {
  const [bale, swarm] = await Promise.all([session('baleSocket', 2377, 18_080), session('engineSocket', 2477, 28_080)]);
  expect(differences(bale, swarm, DIFFERS)).toEqual([]);
}, 600_000);
