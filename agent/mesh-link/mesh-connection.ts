import { connect, type Socket } from 'node:net';
import { BaleError, errorCode, errorMessage } from '../../core/errors.js';
import { readJsonLines } from '../mesh/json-lines.js';
import type { MeshToDaemon } from '../mesh/messages.js';

const HELLO_TIMEOUT = 5_000;

/** A mesh that said hello and how it is. */
export interface MeshConnection {
  readonly socket: Socket;
  readonly nodeId: string;
  readonly pid: number;
  readonly version: string;
  /** When it started, ms since the epoch. */
  readonly since: number;
  /** Resolves when the connection ends, however. */
  readonly closed: Promise<void>;
}

/**
 * Connects to the mesh behind `path` and waits for its hello and its first report. What it says goes to `onMessage`.
 * Undefined when nobody listens there, or it closes at once; throws BALE_MESH_SOCKET when it says nothing.
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
      socket.destroy();
      reject(
        new BaleError(`the mesh behind ${path} said nothing within ${HELLO_TIMEOUT} ms`, {
          kind: 'unavailable',
          code: 'BALE_MESH_SOCKET',
        }),
      );
    }, HELLO_TIMEOUT);
    // It ends just now, or another daemon took its place.
    void closed.then(() => {
      clearTimeout(timer);
      resolve(undefined);
    });
    let hello: Extract<MeshToDaemon, { kind: 'hello' }> | undefined;
    readJsonLines(socket, (document) => {
      if (!isMeshMessage(document)) return;
      onMessage(document);
      if (document.kind === 'hello') hello = document;
      if (document.kind !== 'report' || hello === undefined) return;
      clearTimeout(timer);
      const { nodeId, pid, version, since } = hello;
      resolve({ socket, closed, nodeId, pid, version, since });
    });
  });
}

/** The kind tells the rest: both ends are of one program. */
const isMeshMessage = (document: unknown): document is MeshToDaemon =>
  typeof document === 'object' &&
  document !== null &&
  'kind' in document &&
  (['hello', 'spawned', 'spawn-failed', 'pong'].includes(String(document.kind)) ||
    (document.kind === 'report' && 'report' in document));
