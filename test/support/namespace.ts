import { readFileSync } from 'node:fs';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { must, run } from './run.js';

/** A network namespace with one interface into a bridge, as a machine with one network card. */
export interface Namespace {
  readonly name: string;
  readonly address: string;
  /** The end of the cable in the bridge. */
  readonly cable: string;
}

export interface NamespaceOptions {
  readonly name: string;
  readonly cable: string;
  readonly bridge: string;
  readonly address: string;
  readonly gateway: string;
}

export async function makeNamespace(options: NamespaceOptions): Promise<Namespace> {
  const { name, cable, bridge, address, gateway } = options;
  await must('ip', ['netns', 'add', name]);
  await must('ip', ['link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
  await must('ip', ['link', 'set', cable, 'master', bridge, 'up']);
  await must('nsenter', [
    `--net=/run/netns/${name}`,
    'sh',
    '-c',
    `ip link set lo up && ip addr add ${address}/24 dev eth0 && ip link set eth0 up && ip route add default via ${gateway}`,
  ]);
  return { name, address, cable };
}

/** Ends every process of the namespace and of its containers with SIGKILL, as a power cut does. */
export async function killNamespace(name: string): Promise<void> {
  for (let found = await processesOf(name); found.length > 0; found = await processesOf(name)) {
    for (const pid of found) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it ended meanwhile
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 20)); // the kernel reaps; there is no event to wait for
  }
}

export async function removeNamespace({ name, cable }: Pick<Namespace, 'name' | 'cable'>): Promise<void> {
  await killNamespace(name);
  await run('ip', ['link', 'del', cable]);
  await run('ip', ['netns', 'del', name]);
}

/** The processes in the namespace itself, with their command lines; those of containers have other namespaces. */
export async function namespaceProcesses(
  name: string,
): Promise<readonly { readonly pid: number; readonly command: string }[]> {
  const found = await Promise.all(
    (await processesOf(name)).map(async (pid) => ({
      pid,
      command: await readFile(`/proc/${pid}/cmdline`, 'utf8').then(
        (text) => text.replaceAll('\0', ' '),
        () => '',
      ),
    })),
  );
  return found.filter(({ command }) => command !== '');
}

/** Every process in the namespace, and every descendant of one (containers have namespaces of their own). */
async function processesOf(name: string): Promise<readonly number[]> {
  const inode = await stat(`/run/netns/${name}`).then(
    (file) => file.ino,
    () => undefined,
  );
  if (inode === undefined) return [];
  const parents = new Map<number, number>();
  const members = new Set<number>();
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    try {
      const fields = (await readFile(`/proc/${entry}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
      if (fields[0] === 'Z') continue;
      parents.set(pid, Number(fields[1]));
      if ((await readlink(`/proc/${entry}/ns/net`)) === `net:[${inode}]`) members.add(pid);
    } catch {
      // it ended meanwhile, or is the kernel's
    }
  }
  for (let grown = true; grown;) {
    grown = false;
    for (const [pid, parent] of parents) {
      if (members.has(parent) && !members.has(pid)) {
        members.add(pid);
        grown = true;
      }
    }
  }
  members.delete(process.pid);
  return [...members];
}

/** Whether a process runs; one that ended and was not yet reaped does not count. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
