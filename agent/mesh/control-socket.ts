import { createHash } from 'node:crypto';
import { rmSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { BaleError, errorCode, errorMessage } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { readJsonLines, writeJsonLine } from './json-lines.js';
import type { DaemonToMesh, MeshToDaemon } from './messages.js';

export interface ControlSocketOptions {
  readonly path: string;
  readonly logger: Logger;
  /** What a daemon is told when it connects. */
  readonly greeting: () => readonly MeshToDaemon[];
  readonly onMessage: (message: DaemonToMesh) => void;
}

/**
 * Where the node's daemon connects. The newest connection is the daemon; the one before is closed.
 *
 * Invariant: at most one mesh process serves a path. The lock is a name in the kernel's abstract
 * socket namespace, which vanishes with its process, so a file left over by a dead mesh is known to
 * be stale and is replaced.
 */
export class ControlSocket {
  readonly #options: ControlSocketOptions;
  readonly #lock: Server;
  readonly #server: Server;
  #daemon: Socket | undefined;

  private constructor(options: ControlSocketOptions, lock: Server, server: Server) {
    this.#options = options;
    this.#lock = lock;
    this.#server = server;
    server.on('connection', (socket) => {
      this.#adopt(socket);
    });
    server.on('error', (error) => options.logger.warn({ err: error.message }, 'control socket'));
  }

  /** Throws BALE_MESH_RUNNING when another mesh serves the path, BALE_MESH_SOCKET when it cannot be bound. */
  static async open(options: ControlSocketOptions): Promise<ControlSocket> {
    const lock = createServer((socket) => socket.destroy());
    try {
      await listen(lock, lockName(options.path));
    } catch (error) {
      if (errorCode(error) !== 'EADDRINUSE') throw unusable(options.path, error);
      throw new BaleError(`another mesh process already serves ${options.path}`, {
        kind: 'conflict',
        code: 'BALE_MESH_RUNNING',
      });
    }
    const server = createServer();
    // Created without rights for others, so that there is no moment in which they have any.
    const umask = process.umask(0o177);
    try {
      rmSync(options.path, { force: true });
      await listen(server, options.path);
    } catch (error) {
      lock.close();
      throw unusable(options.path, error);
    } finally {
      process.umask(umask);
    }
    return new ControlSocket(options, lock, server);
  }

  /** Whether a daemon is connected. */
  get isConnected(): boolean {
    return this.#daemon !== undefined;
  }

  /** Whether the file is still there: without it no daemon can ever connect again. */
  get isReachable(): boolean {
    return statSync(this.#options.path, { throwIfNoEntry: false })?.isSocket() ?? false;
  }

  /** Dropped while no daemon is connected: the next one is greeted with the present state. */
  send(message: MeshToDaemon): void {
    if (this.#daemon !== undefined) writeJsonLine(this.#daemon, message);
  }

  close(): void {
    this.#daemon?.destroy();
    // Removes the file, then gives the name free for the next mesh.
    this.#server.close();
    this.#lock.close();
  }

  #adopt(socket: Socket): void {
    const { logger, greeting, onMessage } = this.#options;
    this.#daemon?.destroy();
    this.#daemon = socket;
    logger.info('a daemon is connected');
    socket.on('error', (error) => logger.warn({ err: error.message }, 'the connection to the daemon broke'));
    socket.once('close', () => {
      if (this.#daemon !== socket) return;
      this.#daemon = undefined;
      logger.warn('the daemon is gone: routing goes on by the last table');
    });
    for (const message of greeting()) writeJsonLine(socket, message);
    readJsonLines(socket, (document) => {
      if (this.#daemon !== socket) return;
      if (isDaemonMessage(document)) onMessage(document);
      else logger.warn({ document: String(document) }, 'the daemon sent something unknown; ignored');
    });
  }
}

/** The kind tells the rest: both ends are of one program, and only root can connect. */
const isDaemonMessage = (document: unknown): document is DaemonToMesh =>
  typeof document === 'object' &&
  document !== null &&
  'kind' in document &&
  (document.kind === 'quit' ||
    document.kind === 'identity' ||
    (document.kind === 'locals' && 'locals' in document && Array.isArray(document.locals)) ||
    (document.kind === 'table' && 'table' in document && typeof document.table === 'object'));

/** Short whatever the path, since names of sockets are limited to 107 bytes. */
const lockName = (path: string): string =>
  `\0bale-mesh-${createHash('sha256').update(path).digest('hex').slice(0, 32)}`;

const unusable = (path: string, cause: unknown): BaleError =>
  new BaleError(`the mesh cannot open its control socket ${path}: ${errorMessage(cause)}`, {
    kind: 'unavailable',
    code: 'BALE_MESH_SOCKET',
    cause,
  });

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
