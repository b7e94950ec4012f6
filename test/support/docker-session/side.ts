import type { NodeDocument } from '../../../proto/engine/node-document.js';
import type { ServiceDocument } from '../../../proto/engine/service-document.js';
import type { TaskDocument } from '../../../proto/engine/task-document.js';
import type { Docker } from '../docker-client.js';
import { eventually } from '../eventually.js';
import type { TestHost } from '../test-host.js';
import { TEST_IMAGE } from '../test-image.js';
import { socketDocument } from '../socket-request.js';
import { normal } from './normal.js';
import { type HostName, type Row, type Wait, wordsOf } from './step.js';

export interface SideOptions {
  readonly name: 'bale' | 'Swarm';
  readonly hosts: Readonly<Record<HostName, TestHost>>;
  readonly client: (host: HostName) => Docker;
  /** The first digit of published ports. */
  readonly portDigit: '1' | '2';
  readonly clusterPort: number;
  /** A folder with the files that rows name. */
  readonly directory: string;
}

/** One of the two swarms that a session is run on: docker's CLI before bale, or before Docker Swarm. */
export class Side {
  readonly name: string;
  readonly #options: SideOptions;

  constructor(options: SideOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** docker's CLI on one host, before this swarm. */
  docker(host: HostName): Docker {
    return this.#options.client(host);
  }

  /** What the command printed and its exit code, normalised. */
  async shown(row: Row): Promise<string> {
    const docker = this.#options.client(row.on ?? 'h1');
    const args = await Promise.all(wordsOf(row.run).map((word) => this.#filled(word, row.on ?? 'h1')));
    if (row.until !== undefined) return normal(await this.#until(docker, args, row.until));
    for (let attempt = 1; ; attempt += 1) {
      const { code, stdout, stderr } = await docker.run(args, {
        timeout: 90_000,
        ...(row.input === undefined ? {} : { input: row.input }),
      });
      // In Swarm an object's version moves with its status too, so that a client may come too late by no fault of its own.
      const tooLate = stderr.includes('update out of sequence') && attempt < 5;
      if (!tooLate) return normal(`exit code ${code}\n${stdout}${stderr}`);
    }
  }

  async #until(docker: Docker, args: readonly string[], end: readonly string[]): Promise<string> {
    const child = docker.spawn(...args);
    child.stdin.end();
    // Apart, since what comes on two pipes comes in any order.
    const printed = { stdout: '', stderr: '' };
    const text = (): string => printed.stdout + printed.stderr;
    const ended = new Promise<string>((resolve) => {
      child.once('close', (code) => {
        resolve(`exit code ${String(code)}\n${text()}`);
      });
    });
    const seen = new Promise<string>((resolve) => {
      for (const pipe of ['stdout', 'stderr'] as const) {
        child[pipe].setEncoding('utf8').on('data', (chunk: string) => {
          printed[pipe] += chunk;
          if (end.every((part) => text().includes(part))) resolve(`goes on\n${text()}`);
        });
      }
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), 90_000);
    try {
      return await Promise.race([seen, ended]);
    } finally {
      clearTimeout(timer);
      child.kill('SIGKILL');
    }
  }

  async wait(wait: Wait): Promise<void> {
    await eventually(`${this.name}: ${JSON.stringify(wait)}`, () => this.#reached(wait), { seconds: 90, every: 100 });
  }

  async #reached(wait: Wait): Promise<boolean> {
    switch (wait.wait) {
      case 'tasks': {
        const tasks = (await this.#tasks(wait.of)).filter(({ Status }) => Status.State === wait.state);
        return tasks.length === wait.count;
      }
      case 'node': {
        const nodes = await this.#get<readonly NodeDocument[]>('/nodes');
        return nodes.some(({ Description, Status }) => Description.Hostname === wait.of && Status.State === wait.state);
      }
      case 'rollout':
        return (await this.#get<ServiceDocument>(`/services/${wait.of}`)).UpdateStatus?.State === wait.state;
    }
  }

  #tasks(service: string): Promise<readonly TaskDocument[]> {
    const filters = JSON.stringify({ service: [service], 'desired-state': ['running', 'shutdown'] });
    return this.#get(`/tasks?filters=${encodeURIComponent(filters)}`);
  }

  #get<T>(path: string): Promise<T> {
    return socketDocument<T>(this.#options.client('h1').socketPath, path);
  }

  async #filled(word: string, host: HostName): Promise<string> {
    const { hosts, clusterPort, portDigit, directory } = this.#options;
    let filled = word
      .replaceAll('{image}', TEST_IMAGE)
      .replaceAll('{address}', `${hosts.h1.address}:${clusterPort}`)
      .replaceAll('{own}', `${hosts[host].address}:${clusterPort}`)
      .replaceAll('{p}', portDigit)
      .replaceAll('{dir}', directory);
    for (const role of ['worker', 'manager']) {
      if (!filled.includes(`{${role}}`)) continue;
      const token = await this.#options.client('h1').must('swarm', 'join-token', '-q', role);
      filled = filled.replaceAll(`{${role}}`, token.trim());
    }
    const task = /\{task:([\w-]+)\}/.exec(filled);
    if (task !== null) filled = filled.replace(task[0], (await this.#tasks(task[1] ?? ''))[0]?.ID ?? 'no-task');
    return filled;
  }
}
