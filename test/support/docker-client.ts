import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { run, type Output, type RunOptions } from './run.js';

export interface DockerClient {
  readonly name: string;
  readonly path: string;
}

/** The docker CLIs of this machine: a current one, and the one of Debian 12 where both are installed. */
export function dockerClients(): readonly DockerClient[] {
  return ['/usr/local/bin/docker', '/usr/bin/docker']
    .filter((path) => existsSync(path))
    .map((path) => ({ name: path, path }));
}

/** Without hints, and with the builder that every Engine has. */
const ENVIRONMENT = { DOCKER_BUILDKIT: '0', DOCKER_CLI_HINTS: 'false', DOCKER_HOST: '', DOCKER_CONTEXT: '' };

/** One unmodified docker CLI before one socket. */
export class Docker {
  readonly client: DockerClient;
  readonly socketPath: string;

  constructor(client: DockerClient, socketPath: string) {
    this.client = client;
    this.socketPath = socketPath;
  }

  /** Runs a command to its end, whatever its exit code. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Output> {
    return run(this.client.path, ['-H', `unix://${this.socketPath}`, ...args], { env: ENVIRONMENT, ...options });
  }

  /** Runs a command that must succeed; returns what it printed. */
  async must(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code !== 0) throw new Error(`docker ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Runs a command line of the shell in which `docker` is this client before this socket. */
  shell(script: string): Promise<Output> {
    return run('sh', ['-c', `docker() { ${this.client.path} -H unix://${this.socketPath} "$@"; }\n${script}`], {
      env: ENVIRONMENT,
    });
  }

  /** Starts a command that goes on until it is ended. */
  spawn(...args: readonly string[]): ChildProcessByStdio<Writable, Readable, Readable> {
    return spawn(this.client.path, ['-H', `unix://${this.socketPath}`, ...args], {
      env: { ...process.env, ...ENVIRONMENT },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }
}

/** Resolves when the stream has brought `text`. */
export function sees(stream: Readable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk;
      if (received.includes(text)) resolve();
    });
    stream.once('close', () => {
      reject(new Error(`ended without "${text}": ${received}`));
    });
  });
}
