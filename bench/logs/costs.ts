import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hosts } from '../../test/support/hosts.js';
import type { TestHost } from '../../test/support/test-host.js';
import type { ControlPlane } from '../cluster/swarms.js';

/** The kernel counts processor time in hundredths of a second. */
const TICK_MS = 10;
const SAMPLE_MS = 250;

type Program = 'bale' | 'dockerd';

interface Process {
  readonly program: Program;
  readonly host: string;
  readonly pid: number;
}

interface Reading {
  /** ms */
  readonly processorTime: number;
  /** MB */
  readonly resident: number;
}

/** What a phase cost the daemons of all hosts. */
export interface Costs {
  /** Of all daemons of a kind together, ms. */
  readonly processorTime: Readonly<Record<Program, number>>;
  /** Resident, MB, host by host: when the phase began, and the most that was seen. */
  readonly memory: readonly { readonly process: string; readonly before: number; readonly peak: number }[];
}

/** The daemons of all hosts: bale's, and the Engines', which under Docker Swarm are manager and agents themselves. */
export class Daemons {
  readonly #processes: readonly Process[];

  private constructor(processes: readonly Process[]) {
    this.#processes = processes;
  }

  static async find(hosts: Hosts): Promise<Daemons> {
    const found = await Promise.all(
      hosts.all.map(async (host): Promise<readonly Process[]> => [
        { program: 'bale', host: host.name, pid: await balePid(host) },
        {
          program: 'dockerd',
          host: host.name,
          pid: Number(await readFile(join(host.directory, 'docker.pid'), 'utf8')),
        },
      ]),
    );
    return new Daemons(found.flat());
  }

  /** Measures from now until the returned function is called. */
  async watch(plane: ControlPlane): Promise<() => Promise<Costs>> {
    const before = await this.#read();
    const peaks = before.map(({ resident }) => resident);
    const sample = async (): Promise<readonly Reading[]> => {
      const now = await this.#read();
      now.forEach(({ resident }, index) => (peaks[index] = Math.max(peaks[index] ?? 0, resident)));
      return now;
    };
    const timer = setInterval(() => void sample(), SAMPLE_MS);
    return async () => {
      clearInterval(timer);
      const after = await sample();
      const spent = (program: Program): number =>
        this.#processes.reduce((sum, process, index) => {
          const difference = (after[index]?.processorTime ?? 0) - (before[index]?.processorTime ?? 0);
          return process.program === program ? sum + difference : sum;
        }, 0);
      const measured = plane.name === 'bale' ? 'bale' : 'dockerd';
      return {
        processorTime: { bale: spent('bale'), dockerd: spent('dockerd') },
        memory: this.#processes.flatMap(({ program, host }, index) =>
          program === measured
            ? [{ process: `${program} ${host}`, before: before[index]?.resident ?? 0, peak: peaks[index] ?? 0 }]
            : [],
        ),
      };
    };
  }

  #read(): Promise<readonly Reading[]> {
    return Promise.all(this.#processes.map(({ pid }) => readingOf(pid)));
  }
}

async function readingOf(pid: number): Promise<Reading> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  // The name of the program, in brackets, may hold anything; the 14th and 15th field are its user and system time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    processorTime: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    resident: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024,
  };
}

async function balePid(host: TestHost): Promise<number> {
  const daemon = (await host.baleProcesses()).find(({ command }) => !command.includes(' mesh '));
  if (daemon === undefined) throw new Error(`${host.name}: no bale daemon`);
  return daemon.pid;
}
