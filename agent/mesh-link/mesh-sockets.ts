import { readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { controlPid } from '../mesh/control-path.js';
import { processStart } from '../mesh/process-start.js';

export interface MeshSocket {
  readonly pid: number;
  readonly path: string;
}

/** The control sockets of the mesh processes that live, beside `mesh.sock` (`path`). Those of dead ones are removed. */
export async function findMeshSockets(path: string): Promise<readonly MeshSocket[]> {
  const directory = dirname(path);
  const files = await readdir(directory).catch(() => []);
  const found = files.flatMap((file) => {
    const pid = controlPid(path, file);
    return pid === undefined ? [] : [{ pid, path: join(directory, file) }];
  });
  const alive = found.filter(({ pid }) => processStart(pid) !== undefined);
  await Promise.all(
    found.filter((socket) => !alive.includes(socket)).map((socket) => rm(socket.path, { force: true })),
  );
  return alive;
}

/** Whether the process was started with `configFile`: its pid may have gone to another since. */
export const isMeshOf = async (pid: number, configFile: string): Promise<boolean> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').includes(configFile);
