import { readFileSync } from 'node:fs';

/** Fields of /proc/<pid>/stat after the command, which may itself hold spaces and parentheses. */
const STATE = 0;
const START_TIME = 19;

/**
 * When a process began, in the kernel's ticks since boot; undefined when it does not live (a zombie
 * does not). A pid with another start time is another process.
 */
export function processStart(pid: number): string | undefined {
  if (pid <= 0) return undefined;
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[STATE] === 'Z' || fields[STATE] === 'X' ? undefined : fields[START_TIME];
}
