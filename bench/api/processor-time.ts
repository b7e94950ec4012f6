import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestHost } from '../../test/support/test-host.js';
import type { ControlPlane } from '../cluster/swarms.js';

/** The kernel counts in hundredths of a second. */
const TICK_MS = 10;

/** Processor time of the daemon that serves the API, ms. Other work on the machine does not make it much longer. */
export type ProcessorTime = () => Promise<number>;

export async function processorTimeOf(plane: ControlPlane, host: TestHost): Promise<ProcessorTime> {
  const pid =
    plane.name === 'bale' ? await balePid(host) : Number(await readFile(join(host.directory, 'docker.pid'), 'utf8'));
  return async () => {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in brackets, may hold anything; the 14th and 15th field are its user and system time.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  };
}

async function balePid(host: TestHost): Promise<number> {
  const daemon = (await host.baleProcesses()).find(({ command }) => !command.includes(' mesh '));
  if (daemon === undefined) throw new Error(`${host.name}: no bale daemon`);
  return daemon.pid;
}
