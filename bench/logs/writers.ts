import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../test/support/run.js';
import { socketDocument } from '../../test/support/socket-request.js';
import { TEST_IMAGE } from '../../test/support/test-image.js';
import { type ControlPlane, runningTasks, tasksOf, waitForTasks } from '../cluster/swarms.js';

/** Of a line, its number and its end included: about 100 bytes. */
const TEXT = 'the quick brown fox jumps over the lazy dog and writes a line of an ordinary length of a log';

/**
 * Waits at the gate without computing anything; then writes so many lines, or until it is stopped, and says how many.
 * Each line costs a system call, as those of most programs do.
 */
const SCRIPT = `
trap 'exit 0' TERM
while :; do
  read nothing </go/gate
  read count pause </go/order
  written=0
  while [ $written -lt $count ] && [ -e /go/on ]; do
    if [ $pause != 0 ]; then echo "$written ${TEXT}"; written=$((written + 1)); sleep $pause; continue; fi
    end=$((written + 200))
    while [ $written -lt $end ]; do echo "$written ${TEXT}"; written=$((written + 1)); done
  done
  echo $written >/go/done.$HOSTNAME
done`;

export interface Order {
  /** Lines of each replica; a multiple of 200 where there is no pause. Absent: until they are stopped. */
  readonly lines?: number;
  /** Seconds after each line; 0: full speed. */
  readonly pause?: number;
}

/** A service whose replicas write when they are told to, wherever they are: all hosts are on this machine. */
export class Writers {
  readonly plane: ControlPlane;
  readonly service: string;
  readonly #directory: string;
  readonly #replicas: number;

  private constructor(plane: ControlPlane, service: string, directory: string, replicas: number) {
    this.plane = plane;
    this.service = service;
    this.#directory = directory;
    this.#replicas = replicas;
  }

  static async create(plane: ControlPlane, replicas: number, scratch: string): Promise<Writers> {
    const directory = join(scratch, `writers-${plane.name}`);
    await mkdir(directory);
    await run('mkfifo', [join(directory, 'gate')]);
    const { ID } = await socketDocument<{ ID: string }>(plane.socket, '/services/create', {
      method: 'POST',
      body: {
        Name: `writers-${plane.name}`,
        TaskTemplate: {
          ContainerSpec: {
            Image: TEST_IMAGE,
            Command: ['sh', '-c', SCRIPT],
            Init: false,
            StopGracePeriod: 1_000_000_000,
            Mounts: [{ Type: 'bind', Source: directory, Target: '/go' }],
          },
          // Of one form on both sides: bale would bound them, and no measurement is to meet a rotation.
          LogDriver: { Name: 'json-file', Options: { 'max-size': '4g' } },
        },
        Mode: { Replicated: { Replicas: replicas } },
      },
    });
    await waitForTasks(plane, ID, performance.now(), (tasks) => runningTasks(tasks).length === replicas);
    return new Writers(plane, ID, directory, replicas);
  }

  /** All replicas begin at once. */
  async begin({ lines = 2 ** 31, pause = 0 }: Order): Promise<void> {
    for (const name of await this.#reports()) await rm(join(this.#directory, name));
    await writeFile(join(this.#directory, 'on'), '');
    await writeFile(join(this.#directory, 'order'), `${lines} ${pause}\n`);
    // Whoever reads a pipe waits until somebody writes to it; this opens it for all of them.
    const gate = await open(join(this.#directory, 'gate'), constants.O_WRONLY);
    await gate.close();
  }

  /** Waits until each has written its lines; returns how many they are in all. */
  async written(): Promise<number> {
    for (;;) {
      const reports = await this.#reports();
      const counts = await Promise.all(reports.map((name) => readFile(join(this.#directory, name), 'utf8')));
      // A report that is being written has no end yet.
      if (counts.length === this.#replicas && counts.every((text) => text.endsWith('\n'))) {
        // They are on their way back to the gate.
        await new Promise((resolve) => setTimeout(resolve, 500));
        return counts.reduce((sum, text) => sum + Number(text), 0);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async stop(): Promise<number> {
    await rm(join(this.#directory, 'on'));
    return this.written();
  }

  /** Ids of the tasks that run. */
  async tasks(): Promise<readonly string[]> {
    return runningTasks(await tasksOf(this.plane, this.service)).map(({ ID }) => ID);
  }

  async #reports(): Promise<readonly string[]> {
    return (await readdir(this.#directory)).filter((name) => name.startsWith('done.'));
  }
}
