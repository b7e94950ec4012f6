// The main job on one machine: three nodes (127.0.0.1, .2, .3) that share the local Engine, and a voting
// page published on port 5000 of each. Cleans up on Ctrl-C.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { importVoteImage } from './demo/image.mjs';

const HOME = '/tmp/bale-demo';
const PORT = 5000;
const program = join(import.meta.dirname, '..', 'dist', 'bin', 'bale.js');
const nodes = [1, 2, 3].map((n) => ({
  name: `node-${n}`,
  address: `127.0.0.${n}`,
  directory: join(HOME, `node-${n}`),
  socket: join(HOME, `node-${n}`, 'bale.sock'),
}));
const children = new Set();
const pids = new Map();
const socketOfEngine = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '');
let engine = socketOfEngine;
let stopping = false;

async function main() {
  wipe();
  mkdirSync(HOME, { recursive: true });
  if (!(await answers(engine))) await startEngine();
  await importVoteImage(engine);
  say('starting three bale daemons');
  for (const node of nodes) startDaemon(node);
  for (const node of nodes) await until(() => answers(node.socket), `${node.name} to answer`, logOf(node));

  const [first, ...others] = nodes;
  bale(first, 'swarm', 'init', '--advertise-addr', first.address);
  const token = bale(first, 'swarm', 'join-token', '-q', 'worker').trim();
  for (const node of others) bale(node, 'swarm', 'join', '--token', token, `${first.address}:2377`);
  bale(
    first,
    'service',
    'create',
    '--name',
    'vote',
    '--replicas',
    '3',
    '--publish',
    `${PORT}:80`,
    '--mount',
    'type=volume,source=bale-demo-votes,target=/data',
    'bale-vote:1',
  );
  bale(first, 'node', 'ls');
  bale(first, 'service', 'ps', 'vote');
  await showReplicas();
  console.log(`
The voting page is served by every node:
${nodes.map(({ address }) => `  http://${address}:${PORT}/`).join('\n')}

Try next, in another terminal:
  export BALE_HOST=unix://${first.socket}
  alias bale=${program}
  bale service scale vote=6                                  # more replicas
  bale service ps vote                                       # where they run, and since when
  for i in 1 2 3 4; do curl -s http://127.0.0.2:${PORT}/ | grep replica; done   # round-robin
  DOCKER_HOST=$BALE_HOST docker ps                           # the same socket serves the docker CLI
  docker -H $BALE_HOST rm -f $(docker -H $BALE_HOST ps -q --filter label=com.docker.swarm.service.name=vote | head -1)
                                                             # kill a container: it is replaced
  kill -9 ${pids.get(others[1])}                                              # kill a node's daemon: its page goes on
  bale node ls

Ctrl-C stops everything and cleans up.`);
  await new Promise(() => undefined);
}

function startDaemon(node) {
  mkdirSync(node.directory, { recursive: true, mode: 0o700 });
  const log = openSync(join(node.directory, 'bale.log'), 'a');
  const child = spawn(
    program,
    [
      'daemon',
      '--socket',
      node.socket,
      '--data-dir',
      join(node.directory, 'data'),
      '--engine',
      `unix://${engine}`,
      '--hostname',
      node.name,
      '--listen-addr',
      `${node.address}:2377`,
      '--advertise-addr',
      node.address,
      '--mesh-addr',
      `${node.address}:2378`,
      '--publish-addr',
      node.address,
    ],
    { detached: true, stdio: ['ignore', log, log] },
  );
  closeSync(log);
  children.add(child);
  pids.set(node, child.pid);
}

async function startEngine() {
  say('no Docker Engine answers: starting one for this demonstration');
  engine = join(HOME, 'docker.sock');
  const log = openSync(join(HOME, 'dockerd.log'), 'a');
  const child = spawn(
    'dockerd',
    [
      '--data-root',
      join(HOME, 'docker'),
      '--exec-root',
      join(HOME, 'exec'),
      '--pidfile',
      join(HOME, 'docker.pid'),
      '-H',
      `unix://${engine}`,
    ],
    { detached: true, stdio: ['ignore', log, log] },
  );
  closeSync(log);
  child.isEngine = true;
  children.add(child);
  await until(() => answers(engine), 'the Docker Engine to start', join(HOME, 'dockerd.log'));
}

/** Runs a bale command as a user would type it, showing both the command and what it prints. */
function bale(node, ...args) {
  const shown = args.map((word) =>
    /^[\w./:=,@-]+$/.test(word) && !word.startsWith('SWMTKN')
      ? word
      : word.startsWith('SWMTKN')
        ? 'SWMTKN-…'
        : `'${word}'`,
  );
  console.log(`\n${node.name}$ bale ${shown.join(' ')}`);
  const { status, stdout, stderr } = spawnSync(program, ['-H', `unix://${node.socket}`, ...args], {
    encoding: 'utf8',
  });
  const secret = /SWMTKN-1-\S+/g;
  process.stdout.write((stdout + stderr).replace(secret, 'SWMTKN-…'));
  if (status !== 0) throw new Error(`the command failed (exit code ${status}); its daemon's log is ${logOf(node)}`);
  return stdout;
}

async function showReplicas() {
  const ids = [];
  for (const { address } of nodes) for (let n = 0; n < 3; n += 1) ids.push(await replica(address));
  console.log(`\nNine requests, three to each node, were answered by replicas ${ids.join(', ')}`);
}

const replica = (host) =>
  new Promise((resolve, reject) => {
    request({ host, port: PORT, path: '/' }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve(/replica <code>([^<]+)/.exec(text)?.[1] ?? `(HTTP ${response.statusCode})`));
    })
      .on('error', reject)
      .end();
  });

const answers = (socketPath) =>
  new Promise((resolve) => {
    request({ socketPath, path: '/_ping', timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on('error', () => resolve(false))
      .end();
  });

async function until(check, what, log) {
  for (const end = Date.now() + 30_000; !(await check());) {
    if (Date.now() > end)
      throw new Error(`waited 30 s for ${what}; see ${log}\n${readFileSync(log, 'utf8').slice(-2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function stop(code) {
  if (stopping) return;
  stopping = true;
  console.log('\nstopping: services, nodes, then what this demonstration started');
  // Each node leaves, so that its containers and its mesh are gone with it; the manager last.
  for (const node of [...nodes].reverse()) {
    spawnSync(program, ['-H', `unix://${node.socket}`, 'swarm', 'leave', '--force'], {
      stdio: 'ignore',
      timeout: 20_000,
    });
  }
  await Promise.all([...children].filter((child) => !child.isEngine).map((child) => end(child)));
  spawnSync('docker', ['-H', `unix://${engine}`, 'volume', 'rm', 'bale-demo-votes'], { stdio: 'ignore' });
  spawnSync('docker', ['-H', `unix://${engine}`, 'image', 'rm', 'bale-vote:1'], { stdio: 'ignore' });
  await Promise.all([...children].filter((child) => child.isEngine).map((child) => end(child)));
  wipe();
  process.exit(code);
}

const end = (child) =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', resolve);
    child.kill('SIGTERM');
  });

const wipe = () => rmSync(HOME, { recursive: true, force: true });
const logOf = (node) => join(node.directory, 'bale.log');
function say(text) {
  console.log(`==> ${text}`);
}

process.on('SIGINT', () => void stop(0));
process.on('SIGTERM', () => void stop(0));
try {
  await main();
} catch (error) {
  console.error(`\nbale: ${error.message}`);
  await stop(1);
}
