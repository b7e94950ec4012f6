import { readFileSync } from 'node:fs';

/** What a mesh allows itself, if the system does. */
const MOST = 16_384;
/** Kept for listeners, tunnels and files. */
const RESERVED = 256;
/** One of the client and one of the container. */
const FILES_PER_CONNECTION = 2;

/** How many connections of clients this process may have open, by the files that it may have open. */
export function mostConnections(): number {
  try {
    return connectionsFor(readFileSync('/proc/self/limits', 'latin1'));
  } catch {
    return MOST;
  }
}

/** The same for the text of /proc/<pid>/limits. */
export function connectionsFor(limits: string): number {
  const files = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  if (files === undefined) return MOST;
  return Math.max(1, Math.min(MOST, Math.floor((Number(files) - RESERVED) / FILES_PER_CONNECTION)));
}
