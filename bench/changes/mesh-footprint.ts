import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Hosts } from '../../test/support/hosts.js';
import { REPLICA_PORT } from '../../test/support/load/replica-image.js';
import { meshPids } from '../../test/support/load/replica-service.js';
import type { TestHost } from '../../test/support/test-host.js';

/** What the mesh of one node holds, all of its processes together. */
export interface Footprint {
  readonly node: string;
  readonly pids: readonly number[];
  readonly sockets: number;
  /** Resident, MB. */
  readonly memory: number;
  /** Connections of clients that are open. */
  readonly clients: number;
}

/**
 * ms that sockets and memory have to go back. Kept connections to replicas live 4 s; V8 collects what a load
 * left behind at a moment of its own choice, up to a minute after it.
 */
const PATIENCE = 60_000;
/** A mesh may have grown by this much, as a share. */
const ALLOWED_GROWTH = 0.05;
const PAUSE = 500;

export const footprints = (hosts: Hosts): Promise<readonly Footprint[]> => Promise.all(hosts.all.map(footprintOf));

/** Whether a mesh holds more than it did, beyond what is allowed. */
export const hasGrown = ({ sockets, memory }: Footprint, was: Footprint | undefined): boolean =>
  was === undefined || sockets > was.sockets || memory > was.memory * (1 + ALLOWED_GROWTH);

/** Waits until no mesh holds more than before and no client is connected, or too long; returns the last state. */
export async function settledFootprints(hosts: Hosts, before: readonly Footprint[]): Promise<readonly Footprint[]> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const now = await footprints(hosts);
    const isBack = now.every((mesh, index) => mesh.clients === 0 && !hasGrown(mesh, before[index]));
    if (isBack || performance.now() > end) return now;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** In words, with what it was before. */
export function compareFootprints(before: readonly Footprint[], after: readonly Footprint[]): string {
  return after
    .map(({ node, pids, sockets, memory, clients }, index) => {
      const was = before[index];
      if (was === undefined) return '';
      const growth = ((memory / was.memory - 1) * 100).toFixed(1);
      const other = pids.join() === was.pids.join() ? '' : ', another process';
      return `${node}: clients ${clients}, sockets ${sockets} (was ${was.sockets}), ${memory.toFixed(1)} MB (was ${was.memory.toFixed(1)}, ${growth} %${other})`;
    })
    .join('; ');
}

async function footprintOf(host: TestHost): Promise<Footprint> {
  const pids = await meshPids(host);
  const processes = await Promise.all(pids.map(holdingsOf));
  const ports = Object.values(REPLICA_PORT).map((port) => `sport = :${port}`);
  const { stdout } = await host.run('ss', ['-Htn', 'state', 'established', ports.join(' or ')]);
  const sum = (key: 'sockets' | 'memory'): number => processes.reduce((total, process) => total + process[key], 0);
  const clients = stdout.split('\n').filter((line) => line !== '').length;
  return { node: host.name, pids, sockets: sum('sockets'), memory: sum('memory'), clients };
}

async function holdingsOf(pid: number): Promise<Pick<Footprint, 'sockets' | 'memory'>> {
  const folder = `/proc/${pid}/fd`;
  const links = await Promise.all((await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => '')));
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return {
    sockets: links.filter((link) => link.startsWith('socket:')).length,
    memory: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024,
  };
}

/** The connections of a node's mesh, for one that holds more than it did. */
export async function openConnections(host: TestHost): Promise<readonly string[]> {
  const pids = await meshPids(host);
  const { stdout } = await host.run('ss', ['-Htxp', 'state', 'established']);
  return stdout
    .split('\n')
    .filter((line) => pids.some((pid) => line.includes(`pid=${pid},`)))
    .map((line) => line.replaceAll(/\s+/g, ' '));
}
