import { rmSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { BaleError, errorMessage } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { controlPath } from './control-path.js';
import { readJsonLines, writeJsonLine } from './json-lines.js';
import { Leadership } from './leadership.js';
import type { DaemonToMesh, MeshToDaemon } from './messages.js';

export interface ControlSocketOptions {
  /** The node's `mesh.sock`; this process listens beside it, under a name with its pid. */
  readonly path: string;
  /** Whether this process leads from its start. */
  readonly leads: boolean;
  readonly logger: Logger;
  /** What a daemon is told when it connects. */
  readonly greeting: () => readonly MeshToDaemon[];
  readonly onMessage: (message: DaemonToMesh) => void;
}

/** Where the node's daemon connects. The newest connection is the daemon; the one before is closed. */
export class ControlSocket {
  readonly #options: ControlSocketOptions;
  readonly #path: string;
  readonly #leadership: Leadership;
  readonly #server: Server;
  #daemon: Socket | undefined;

  private constructor(options: ControlSocketOptions, path: string, leadership: Leadership, server: Server) {
    this.#options = options;
    this.#path = path;
    this.#leadership = leadership;
    this.#server = server;
    server.on('connection', (socket) => {
      this.#adopt(socket);
    });
    server.on('error', (error) => options.logger.warn({ err: error.message }, 'control socket'));
  }

  /** Throws BALE_MESH_RUNNING when another mesh leads already, BALE_MESH_SOCKET when the socket cannot be bound. */
  static async open(options: ControlSocketOptions): Promise<ControlSocket> {
    const path = controlPath(options.path, process.pid);
    const leadership = new Leadership(options.path, path, options.logger);
    if (options.leads) await leadership.claim();
    const server = createServer();
    // Created without rights for others, so that there is no moment in which they have any.
    const umask = process.umask(0o177);
    try {
      rmSync(path, { force: true });
      await listen(server, path);
      if (options.leads) leadership.show();
    } catch (error) {
      leadership.release();
      server.close();
      throw unusable(path, error);
    } finally {
      process.umask(umask);
    }
    return new ControlSocket(options, path, leadership, server);
  }

  /** Whether a daemon is connected. */
  get isConnected(): boolean {
    return this.#daemon !== undefined;
  }

  /** Whether the file is still there: without it no daemon can ever connect again. */
  get isReachable(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.isSocket() ?? false;
  }

  /** Dropped while no daemon is connected: the next one is greeted with the present state. */
  send(message: MeshToDaemon): void {
    if (this.#daemon !== undefined) writeJsonLine(this.#daemon, message);
  }

  /** This process leads from now on. */
  lead(): void {
    void this.#leadership.take();
  }

  /** Another may lead. The daemon stays connected. */
  abdicate(): void {
    this.#leadership.release();
  }

  close(): void {
    // Removes the file, then gives the name free for the next mesh.
    this.#server.close();
    this.#leadership.release();
    // Last: a daemon that waits for its end counts on the rest.
    this.#daemon?.destroy();
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
  (['quit', 'identity', 'lead', 'retire', 'ping'].includes(String(document.kind)) ||
    (document.kind === 'spawn' && 'command' in document && Array.isArray(document.command)) ||
    (document.kind === 'locals' && 'locals' in document && Array.isArray(document.locals)) ||
    (document.kind === 'table' && 'table' in document && typeof document.table === 'object'));

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
