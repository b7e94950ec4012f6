import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differences, type Outcome } from '../support/docker-session/outcomes.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { run } from '../support/run.js';

const SESSION = join(process.cwd(), 'test', 'support', 'docker-py', 'session.py');

let hosts: Hosts;
beforeAll(async () => {
  hosts = await startHosts(2);
});
afterAll(() => hosts[Symbol.asyncDispose]());

/** The session of docker-py (Debian's python3-docker) against one of the two swarms of the hosts. */
async function session(
  socket: 'engineSocket' | 'baleSocket',
  port: number,
  digit: string,
): Promise<readonly Outcome[]> {
  const [h1, h2] = [hosts.host(1), hosts.host(2)];
  const words = [h1[socket], h2[socket], `${h1.address}:${port}`, `${h2.address}:${port}`, digit];
  const { code, stdout, stderr } = await run('/usr/bin/python3', [SESSION, ...words], { timeout: 150_000 });
  if (code !== 0) throw new Error(`${socket}: exit code ${code}\n${stderr}`);
  // The script prints a list of pairs of a step's name and a JSON document.
  return JSON.parse(stdout) as readonly Outcome[];
}

/** Steps whose outcome is another on purpose; the reasons stand in docs/compatibility.md. */
const DIFFERS: Readonly<Record<string, RegExp>> = {
  'join with a wrong token': /400.*the join token is not valid: it must have four parts/,
};

test('docker-py, unmodified, is told by bale what a Docker Swarm of the same Engines tells it', async () => {
  const [bale, swarm] = await Promise.all([session('baleSocket', 2377, '1'), session('engineSocket', 2477, '2')]);
  (await import('node:fs')).writeFileSync(
    '/tmp/clients-docker-py.txt',
    differences(bale, swarm, DIFFERS)
      .map((s) => `##### ${s.step}\n--- swarm\n${s.swarm}\n--- bale\n${s.bale}`)
      .join('\n'),
  );
  expect(differences(bale, swarm, DIFFERS)).toEqual([]);
});
