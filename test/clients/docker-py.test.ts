import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differences, type Outcome } from '../support/docker-session/outcomes.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { run } from '../support/run.js';
import type { TestHost } from '../support/test-host.js';

const SESSION = join(process.cwd(), 'test', 'support', 'docker-py', 'session.py');

let hosts: Hosts;
/** In memory, and seen by the Engines' own mounts. */
const runDir = ({ name }: TestHost): string => `/dev/shm/bale-docker-py-${process.pid}-${name}`;
beforeAll(async () => {
  hosts = await startHosts(2, { daemons: false });
  await Promise.all(hosts.all.map((host) => host.startDaemon([`--run-dir=${runDir(host)}`])));
});
afterAll(async () => {
  const directories = hosts.all.map(runDir);
  await hosts[Symbol.asyncDispose]();
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
});

/** The session of docker-py (Debian's python3-docker) against one of the two swarms of the hosts. */
async function session(
  socket: 'engineSocket' | 'baleSocket',
  port: number,
  digit: string,
): Promise<readonly Outcome[]> {
  const [h1, h2] = [hosts.host(1), hosts.host(2)];
  const words = [h1[socket], h2[socket], `${h1.address}:${port}`, `${h2.address}:${port}`, digit];
  const { code, stdout, stderr } = await run('/usr/bin/python3', [SESSION, ...words], { timeout: 540_000 });
  if (code !== 0) throw new Error(`${socket}: exit code ${code}\n${stderr}`);
  // The script prints a list of pairs of a step's name and a JSON document.
  return JSON.parse(stdout) as readonly Outcome[];
}

/** Steps whose outcome is another on purpose; the reasons stand in docs/compatibility.md. */
const DIFFERS: Readonly<Record<string, RegExp>> = {
  'join with a wrong token': /400.*the join token is not valid: it must have four parts/,
  swarm: /"DefaultAddrPool":null/,
  'wrong availability': /400.*must be one of active, pause, drain, got/,
  'with defaults':
    /"RollbackConfig":\{"FailureAction":"pause","MaxFailureRatio":0,"Monitor":5000000000,"Parallelism":1\}/,
  'bad constraint': /400.*code = InvalidArgument desc = constraint expected one operator from ==, !=/,
  task: /^(?!.*NetworksAttachments)/,
  'neither stream': /400.*you must choose at least one stream/,
};

test('docker-py, unmodified, is told by bale what a Docker Swarm of the same Engines tells it', async () => {
  const [bale, swarm] = await Promise.all([session('baleSocket', 2377, '1'), session('engineSocket', 2477, '2')]);
  expect(differences(bale, swarm, DIFFERS)).toEqual([]);
}, 600_000);
