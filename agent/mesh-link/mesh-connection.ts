import { connect, type Socket } from 'node:net';
import { pause } from '../../core/abort.js';
import { BaleError, errorCode, errorMessage } from '../../core/errors.js';
import { readJsonLines } from '../mesh/json-lines.js';
import type { MeshToDaemon } from '../mesh/messages.js';

const HELLO_TIMEOUT = 5_000;
const POLL = 20;

/** A mesh that said hello. */
export interface MeshConnection {
  readonly socket: Socket;
  readonly nodeId: string;
  readonly pid: number;
  readonly version: string;
  /** Resolves when the connection ends, however. */
  readonly closed: Promise<void>;
}

/**
 * Connects to the mesh behind `path` and waits for its hello; what it says later goes to `onMessage`.
 * Undefined when nobody listens there.
 */
export async function connectMesh(
  path: string,
  onMessage: (message: MeshToDaemon) => void,
): Promise<MeshConnection | undefined> {
  const socket = connect(path);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
  } catch (error) {
    if (['ENOENT', 'ECONNREFUSED'].includes(errorCode(error) ?? '')) return undefined;
    throw new BaleError(`the mesh's control socket ${path} cannot be used: ${errorMessage(error)}`, {
      kind: 'unavailable',
      code: 'BALE_MESH_SOCKET',
      cause: error,
    });
  }
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      resolve();
    });
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      fail(`said nothing within ${HELLO_TIMEOUT} ms`);
    }, HELLO_TIMEOUT);
    const fail = (reason: string): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new BaleError(`the mesh behind ${path} ${reason}`, { kind: 'unavailable', code: 'BALE_MESH_SOCKET' }));
    };
    void closed.then(() => {
      fail('closed the connection');
    });
    readJsonLines(socket, (document) => {
      if (!isMeshMessage(document)) return;
      if (document.kind === 'hello') {
        clearTimeout(timer);
        resolve({ socket, closed, nodeId: document.nodeId, pid: document.pid, version: document.version });
      }
      onMessage(document);
    });
  });
}

/** Connects as soon as somebody listens; rejects only when `signal` aborts or the socket is unusable. */
export async function awaitMesh(
  path: string,
  onMessage: (message: MeshToDaemon) => void,
  signal: AbortSignal,
): Promise<MeshConnection> {
  for (;;) {
    const connection = await connectMesh(path, onMessage);
    if (connection !== undefined) return connection;
    await pause(POLL, signal);
  }
}

/** The kind tells the rest: both ends are of one program. */
const isMeshMessage = (document: unknown): document is MeshToDaemon =>
  typeof document === 'object' &&
  document !== null &&
  'kind' in document &&
  (document.kind === 'hello' || (document.kind === 'report' && 'report' in document));
