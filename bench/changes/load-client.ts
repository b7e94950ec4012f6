import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { LoadOptions, LoadResult } from '../../test/support/load/load-types.js';
import type { FromLoad, ToLoad } from './load-process.js';

/** A load that runs in a process of its own until it is stopped. */
export class LoadClient {
  readonly #child: ChildProcess;

  constructor(options: LoadOptions) {
    this.#child = fork(new URL('./load-process.js', import.meta.url));
    this.#tell({ kind: 'start', options });
  }

  /** What is going on from now; noted with each failure. */
  phase(phase: string): void {
    this.#tell({ kind: 'phase', phase });
  }

  /** Ends the load and returns what came of it, once nothing is under way. */
  async stop(): Promise<LoadResult> {
    const exited = once(this.#child, 'exit');
    const died = exited.then(() => {
      throw new Error('the load ended without a result');
    });
    const answer = Promise.race([once(this.#child, 'message'), died]);
    this.#tell({ kind: 'stop' });
    // The only message that the process sends.
    const [{ result }] = (await answer) as [FromLoad];
    await exited;
    return result;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #tell(message: ToLoad): void {
    this.#child.send(message);
  }
}
