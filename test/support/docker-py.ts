import { spawnSync } from 'node:child_process';

/** Whether docker's SDK for Python is on this machine. */
export const hasDockerPy = (): boolean => spawnSync('python3', ['-c', 'import docker']).status === 0;

/** Reaches a daemon by docker's variables, looks, and tries what a viewer may not do. */
export const VIEWER_SCRIPT = [
  'import docker',
  'c = docker.from_env()',
  'print(c.ping(), [s.name for s in c.services.list()])',
  'try:',
  '    c.services.get("web").remove()',
  'except docker.errors.APIError as e:',
  '    print(e.status_code)',
].join('\n');
/** What it prints where the one service is called web. */
export const VIEWER_OUTPUT = "True ['web']\n403\n";
