import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What a test's Engine does with a request that its ping, version and info do not cover. */
export type EngineBehaviour = (request: IncomingMessage, response: ServerResponse) => void;
/** The same for an upgrade; `head` are the bytes that came with it. */
export type UpgradeBehaviour = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * A small Engine on a unix socket: real HTTP, the head of a real one's answers, and behaviour that
 * a test sets.
 */
export class EngineServer {
  readonly socketPath: string;
  behave: EngineBehaviour = (_request, response) => {
    response.writeHead(404, { 'Content-Type': 'application/json' });
    response.end('{"message":"page not found"}\n');
  };
  upgrade: UpgradeBehaviour = (_request, socket) => {
    socket.destroy();
  };
  readonly #server = createServer({ maxHeaderSize: 1024 * 1024 });
  readonly #sockets = new Set<Socket>();

  constructor(socketPath: string) {
    this.socketPath = socketPath;
    this.#server.on('request', (request, response) => {
      this.#answer(request, response);
    });
    this.#server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response);
    });
    this.#server.on('upgrade', (request, socket, head) => {
      this.upgrade(request, socket, head);
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  async start(): Promise<void> {
    this.#server.listen(this.socketPath);
    await once(this.#server, 'listening');
  }

  /** Resolves with this side of the next upgrade; what comes on it is the test's. */
  nextUpgrade(): Promise<{ readonly url: string; readonly socket: Duplex; readonly head: Buffer }> {
    return new Promise((resolve) => {
      this.upgrade = ({ url }, socket, head) => {
        resolve({ url: url ?? '', socket, head });
      };
    });
  }

  /** Ends as a killed Engine does: every connection breaks. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    await rm(this.socketPath, { force: true });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('Api-Version', '1.41');
    response.setHeader('Docker-Experimental', 'false');
    response.setHeader('Ostype', 'linux');
    response.setHeader('Server', 'Docker/20.10.24 (linux)');
    const path = (request.url ?? '').replace(/^\/v[\d.]+/, '').split('?')[0];
    if (path === '/_ping') {
      response.end(request.method === 'HEAD' ? '' : 'OK');
    } else if (path === '/version') {
      sendDocument(response, { Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12', Components: [] });
    } else if (path === '/info') {
      sendDocument(response, { ID: 'ENGINE', NCPU: 2, Swarm: { LocalNodeState: 'inactive' } });
    } else {
      this.behave(request, response);
    }
  }
}

function sendDocument(response: ServerResponse, document: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(document));
}
