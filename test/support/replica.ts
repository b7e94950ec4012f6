import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server as HttpServer,
} from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import type { LocalEndpoint } from '../../agent/mesh/messages.js';
import type { Endpoint } from '../../proto/endpoint-table.js';
import { loopback } from './mesh-node.js';

const TARGET_PORT = 80;

/** A stand-in for a container: a server on a loopback address of its own. */
export class Replica {
  readonly taskId: string;
  readonly nodeId: string;
  readonly address: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(taskId: string, nodeId: string, address: string, server: Server) {
    this.taskId = taskId;
    this.nodeId = nodeId;
    this.address = address;
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** Answers each request with its task id, unless `listener` does otherwise. */
  static http(taskId: string, nodeId: string, listener?: RequestListener): Promise<Replica> {
    const server = createHttpServer(
      listener ??
        ((request, response) => {
          request.resume();
          request.once('end', () => response.end(taskId));
        }),
    );
    return Replica.#listen(taskId, nodeId, server);
  }

  /** `isHalfOpen`: after the client's end it goes on until it ends by itself. */
  static tcp(
    taskId: string,
    nodeId: string,
    onConnection: (socket: Socket) => void,
    isHalfOpen = false,
  ): Promise<Replica> {
    return Replica.#listen(taskId, nodeId, createServer({ allowHalfOpen: isHalfOpen }, onConnection));
  }

  /** A task that the table names but at whose address nothing listens. */
  static dead(taskId: string, nodeId: string): Replica {
    return new Replica(taskId, nodeId, loopback(), createServer());
  }

  static async #listen(taskId: string, nodeId: string, server: Server | HttpServer): Promise<Replica> {
    const replica = new Replica(taskId, nodeId, loopback(), server);
    await new Promise<void>((resolve) => server.listen(TARGET_PORT, replica.address, resolve));
    return replica;
  }

  get local(): LocalEndpoint {
    return { taskId: this.taskId, address: this.address, pid: process.pid };
  }

  endpoint(state: Endpoint['state'] = 'active'): Endpoint {
    return { taskId: this.taskId, nodeId: this.nodeId, targetPort: TARGET_PORT, state };
  }

  onUpgrade(listener: (request: IncomingMessage, socket: Socket) => void): void {
    this.#server.on('upgrade', listener);
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Resolves when it has no connection left. */
  async idle(): Promise<void> {
    for (const socket of this.#sockets) await new Promise((resolve) => socket.once('close', resolve));
  }

  /** As a killed container: everything is cut. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }
}
