import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { parseIp } from './ip-bytes.js';

const LOCAL = 1;
const REMOTE = 2;

/** Whether the network of a process has a UDP socket that takes what is sent to this address and port. */
export const hasUdpSocket = (pid: number, address: string, port: number): boolean =>
  ['udp', 'udp6'].some((name) => takesDatagrams(read(`/proc/${pid}/net/${name}`), address, port));

/** The same of one table, as the kernel prints it: see proc(5), /proc/net/tcp. */
export function takesDatagrams(table: string, address: string, port: number): boolean {
  const ip = parseIp(address);
  if (ip === undefined) return false;
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  // A socket on the address `::` takes IPv4 too, unless told otherwise, which the table does not show.
  const hosts = [hexWords(ip), hexWords(Buffer.alloc(4)), hexWords(Buffer.alloc(16))];
  return table.split('\n').some((line) => {
    const fields = line.trim().split(/\s+/);
    // One with a peer takes datagrams of that peer alone.
    return hosts.some((host) => fields[LOCAL] === host + local) && /^0+:0000$/.test(fields[REMOTE] ?? '');
  });
}

/** The kernel prints each four bytes as a number of this machine. */
function hexWords(bytes: Buffer): string {
  const ordered = Buffer.from(bytes);
  return (endianness() === 'LE' ? ordered.swap32() : ordered).toString('hex').toUpperCase();
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // The process is gone, or its network has no IPv6.
  }
}
