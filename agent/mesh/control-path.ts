import { basename, dirname, join } from 'node:path';

const SUFFIX = '.sock';
const stem = (path: string): string => basename(path, SUFFIX);

/** The control socket of one mesh process: `mesh-4711.sock` beside `mesh.sock`. */
export const controlPath = (path: string, pid: number): string => join(dirname(path), `${stem(path)}-${pid}${SUFFIX}`);

/** The pid in the name of such a file; undefined for any other file. */
export function controlPid(path: string, file: string): number | undefined {
  const match = /^(?<stem>.*)-(?<pid>\d+)\.sock$/.exec(file);
  return match?.groups?.stem === stem(path) ? Number(match.groups.pid) : undefined;
}
