import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, makeNamespace, removeNamespace } from './namespace.js';
import { must, run } from './run.js';
import { importTestImage } from './test-image.js';
import { TestHost } from './test-host.js';

const PREFIX = 'baleh';

export interface Hosts extends AsyncDisposable {
  readonly all: readonly TestHost[];
  /** The address of this test process on the hosts' network. */
  readonly gateway: string;
  /** The host numbered `n`, from 1. */
  host(n: number): TestHost;
}

/**
 * Several machines on this one: network namespaces on one bridge, each with a real Docker Engine that
 * has the image `bale-test`. Everything is removed at the end; what a crashed run left is swept first.
 */
export async function startHosts(
  count: number,
  options: {
    readonly daemons?: boolean;
    /** Registries on the hosts' network are asked over plain HTTP. */
    readonly insecureRegistries?: boolean;
  } = {},
): Promise<Hosts> {
  await sweep();
  const id = `${PREFIX}${process.pid}`;
  const subnet = `10.213.${process.pid % 250}`;
  const gateway = `${subnet}.254`;
  const directory = await mkdtemp(join(tmpdir(), `${PREFIX}-`));
  const namespaces: { name: string; cable: string }[] = [];
  const dispose = async (): Promise<void> => {
    for (const namespace of namespaces) await removeNamespace(namespace);
    await removeBridge(id);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await must('ip', ['link', 'add', id, 'type', 'bridge']);
    await must('ip', ['addr', 'add', `${gateway}/24`, 'dev', id]);
    await must('ip', ['link', 'set', id, 'up']);
    // An Engine in the root namespace sets the FORWARD policy to DROP, which also hits bridged traffic.
    await must('iptables', ['-I', 'FORWARD', '-i', id, '-o', id, '-j', 'ACCEPT']);
    const hosts: TestHost[] = [];
    for (let n = 1; n <= count; n += 1) {
      const name = `${id}-h${n}`;
      const cable = `${id}v${n}`;
      namespaces.push({ name, cable });
      const namespace = await makeNamespace({ name, cable, bridge: id, address: `${subnet}.${n}`, gateway });
      hosts.push(new TestHost(`h${n}`, namespace, join(directory, `h${n}`)));
    }
    const engineFlags = options.insecureRegistries === true ? [`--insecure-registry=${subnet}.0/24`] : [];
    await Promise.all(hosts.map((host) => host.startEngine(engineFlags)));
    await Promise.all(hosts.map((host) => importTestImage(host.engineSocket)));
    if (options.daemons ?? true) await Promise.all(hosts.map((host) => host.startDaemon()));
    return {
      all: hosts,
      gateway,
      host(n) {
        const host = hosts[n - 1];
        if (host === undefined) throw new Error(`there is no host ${n}`);
        return host;
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function removeBridge(id: string): Promise<void> {
  await run('iptables', ['-D', 'FORWARD', '-i', id, '-o', id, '-j', 'ACCEPT']);
  await run('ip', ['link', 'del', id]);
}

/** Removes what runs that were killed left behind: their names carry the pid of a process that is gone. */
async function sweep(): Promise<void> {
  const names = await readdir('/run/netns').catch(() => []);
  const stale = new Set<string>();
  for (const name of names) {
    const match = /^(baleh(\d+))-h(\d+)$/.exec(name);
    if (match === null || isAlive(Number(match[2]))) continue;
    stale.add(match[1] ?? '');
    await removeNamespace({ name, cable: `${match[1] ?? ''}v${match[3] ?? ''}` });
  }
  for (const id of stale) await removeBridge(id);
}
