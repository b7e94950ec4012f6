import { createHash } from 'node:crypto';
import { readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { basename } from 'node:path';
import { BaleError, errorCode, errorMessage } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';

/** ms between two attempts to take the lead from a process that just gives it up. */
const RETRY = 20;

/**
 * Which mesh process of a node leads: it binds the ports, and `mesh.sock` leads to it.
 *
 * Invariant: at most one process leads a path. The lock is a name in the kernel's abstract socket
 * namespace, which vanishes with its process, so nothing that a killed mesh left behind is an obstacle.
 */
export class Leadership {
  readonly #path: string;
  readonly #own: string;
  readonly #logger: Logger;
  #lock: Server | undefined;
  #taking = false;

  /** `path`: the node's `mesh.sock`; `own`: the control socket of this process. */
  constructor(path: string, own: string, logger: Logger) {
    this.#path = path;
    this.#own = own;
    this.#logger = logger;
  }

  /** Throws BALE_MESH_RUNNING when another process leads. */
  async claim(): Promise<void> {
    const lock = createServer((socket) => socket.destroy());
    try {
      await new Promise<void>((resolve, reject) => {
        lock.once('error', reject);
        lock.listen(lockName(this.#path), resolve);
      });
    } catch (error) {
      if (errorCode(error) !== 'EADDRINUSE') {
        throw new BaleError(`the mesh cannot lock ${this.#path}: ${errorMessage(error)}`, {
          kind: 'unavailable',
          code: 'BALE_MESH_SOCKET',
          cause: error,
        });
      }
      throw new BaleError(`another mesh process already serves ${this.#path}`, {
        kind: 'conflict',
        code: 'BALE_MESH_RUNNING',
      });
    }
    this.#lock = lock;
  }

  /** Makes `mesh.sock` lead to this process, in one step. Throws when the directory cannot be written. */
  show(): void {
    const link = `${this.#own}.link`;
    rmSync(link, { force: true });
    symlinkSync(basename(this.#own), link);
    renameSync(link, this.#path);
  }

  /** Takes the lead as soon as whoever has it gives it up. */
  async take(): Promise<void> {
    if (this.#taking || this.#lock !== undefined) return;
    this.#taking = true;
    while (this.#isTaking()) {
      try {
        await this.claim();
        if (!this.#isTaking()) this.release();
        else this.show();
        break;
      } catch (error) {
        if (!(error instanceof BaleError && error.code === 'BALE_MESH_RUNNING')) {
          // Ports are served all the same; only the shared name is missing.
          this.#logger.warn({ err: errorMessage(error) }, 'the lead cannot be shown');
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY));
      }
    }
    this.#taking = false;
  }

  release(): void {
    this.#taking = false;
    if (this.#lock === undefined) return;
    if (this.#isShown()) rmSync(this.#path, { force: true });
    this.#lock.close();
    this.#lock = undefined;
  }

  #isTaking(): boolean {
    return this.#taking;
  }

  #isShown(): boolean {
    try {
      return readlinkSync(this.#path) === basename(this.#own);
    } catch {
      return false;
    }
  }
}

/** Short whatever the path, since names of sockets are limited to 107 bytes. */
const lockName = (path: string): string =>
  `\0bale-mesh-${createHash('sha256').update(path).digest('hex').slice(0, 32)}`;
