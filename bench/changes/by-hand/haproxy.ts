import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../../../test/support/eventually.js';
import type { TestHost } from '../../../test/support/test-host.js';

export const FRONT = { http: 18080, tcp: 19000 } as const;
/** s that connections have to end; as bale's drain deadline. */
export const DEADLINE = 30;

/** A replica as HAProxy sees it: ports published by its node's Engine. */
export interface Server {
  readonly name: string;
  readonly address: string;
  readonly httpPort: number;
  readonly tcpPort: number;
}

/** The HAProxy of one node, with every replica of the cluster behind it. */
export class Haproxy {
  readonly #host: TestHost;
  readonly #socket: string;
  #process: ChildProcess | undefined;

  constructor(host: TestHost) {
    this.#host = host;
    this.#socket = join(host.directory, 'haproxy.sock');
  }

  /**
   * Starts with these servers; a process that runs hands its listening sockets over and ends once its connections
   * have ended, which the returned promise waits for.
   */
  async reload(servers: readonly Server[]): Promise<{ readonly oldEnded: Promise<unknown> }> {
    const file = join(this.#host.directory, 'haproxy.cfg');
    await writeFile(file, this.#config(servers));
    const old = this.#process;
    const takeOver = old?.pid === undefined ? [] : ['-x', this.#socket, '-sf', String(old.pid)];
    const oldEnded = old === undefined ? Promise.resolve() : once(old, 'exit');
    this.#process = this.#host.spawn('haproxy', ['-f', file, ...takeOver]);
    const pid = this.#process.pid ?? 0;
    await eventually('HAProxy to answer', async () => (await this.command('show info')).includes(`Pid: ${pid}\n`));
    return { oldEnded };
  }

  /** A command of the runtime API. */
  command(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#socket);
      let answer = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
      socket.on('error', reject);
      socket.on('close', () => {
        resolve(answer);
      });
      socket.write(`${text}\n`);
    });
  }

  /** Connections and requests under way on a server. */
  async underWay(name: string): Promise<number> {
    const [head = '', ...rows] = (await this.command('show stat')).split('\n');
    const column = head.split(',').indexOf('scur');
    return rows
      .map((row) => row.split(','))
      .filter((fields) => fields[1] === name)
      .reduce((sum, fields) => sum + Number(fields[column]), 0);
  }

  async stop(): Promise<void> {
    if (this.#process === undefined) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
    this.#process = undefined;
  }

  #config(servers: readonly Server[]): string {
    const lines = (port: 'httpPort' | 'tcpPort'): string =>
      servers.map((server) => `  server ${server.name} ${server.address}:${server[port]}`).join('\n');
    return `
global
  maxconn 8192
  stats socket ${this.#socket} mode 600 level admin expose-fd listeners
  hard-stop-after ${DEADLINE}s
defaults
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  retries 3
  option redispatch 1
  default-server check inter 1s
frontend http
  mode http
  bind ${this.#host.address}:${FRONT.http}
  option forwardfor
  default_backend http
backend http
  mode http
  balance roundrobin
${lines('httpPort')}
frontend tcp
  mode tcp
  bind ${this.#host.address}:${FRONT.tcp}
  default_backend tcp
backend tcp
  mode tcp
  balance roundrobin
${lines('tcpPort')}
`;
  }
}
