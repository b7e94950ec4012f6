import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { LocalEndpoint } from '../../agent/mesh/messages.js';
import type { Endpoint } from '../../proto/endpoint-table.js';
import { loopback } from './mesh-node.js';

const TARGET_PORT = 53;

/** Says what a replica answers; it may also answer later, or more than once, by `reply`. */
export type Answer = (datagram: Buffer, reply: (answer: Buffer | string) => void) => void;

/** A stand-in for a container: a UDP socket on a loopback address of its own. */
export class UdpReplica {
  readonly taskId: string;
  readonly nodeId: string;
  readonly address = loopback();
  /** Addresses of those who sent something. */
  readonly clients = new Set<string>();
  readonly #answer: Answer;
  #socket: Socket | undefined;

  private constructor(taskId: string, nodeId: string, answer: Answer | undefined) {
    this.taskId = taskId;
    this.nodeId = nodeId;
    this.#answer =
      answer ??
      ((datagram, reply) => {
        reply(Buffer.concat([Buffer.from(`${taskId} `), datagram]));
      });
  }

  /** Answers each datagram with `<its task id> <the datagram>`, unless `answer` does otherwise. */
  static async start(taskId: string, nodeId: string, answer?: Answer): Promise<UdpReplica> {
    const replica = new UdpReplica(taskId, nodeId, answer);
    await replica.listen();
    return replica;
  }

  /** A task that the table names but that does not listen, unless it is told to. */
  static dead(taskId: string, nodeId: string): UdpReplica {
    return new UdpReplica(taskId, nodeId, undefined);
  }

  get local(): LocalEndpoint {
    return { taskId: this.taskId, address: this.address, pid: process.pid };
  }

  endpoint(state: Endpoint['state'] = 'active'): Endpoint {
    return { taskId: this.taskId, nodeId: this.nodeId, targetPort: TARGET_PORT, state };
  }

  async listen(): Promise<void> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1024 * 1024 });
    socket.on('message', (datagram: Buffer, { address, port }: RemoteInfo) => {
      this.clients.add(`${address}:${port}`);
      this.#answer(datagram, (answer) => {
        socket.send(answer, port, address, () => undefined);
      });
    });
    await new Promise<void>((resolve) => socket.bind(TARGET_PORT, this.address, resolve));
    this.#socket = socket;
  }

  /** As a killed container: what comes from now on is refused. */
  stop(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }
}

/** A client with a port of its own, which takes answers only from where it sends to. */
export class UdpClient {
  readonly answers: Buffer[] = [];
  readonly #socket: Socket;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (answer: Buffer) => {
      this.answers.push(answer);
      this.#wake();
    });
  }

  static async open(address: string, port = 8080): Promise<UdpClient> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1024 * 1024 });
    const client = new UdpClient(socket);
    await new Promise<void>((resolve) => {
      socket.connect(port, address, resolve);
    });
    return client;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  send(datagram: Buffer | string): void {
    this.#socket.send(datagram, () => undefined);
  }

  /** The next answer that was not taken yet. Rejects after `within` ms: a datagram that is lost never comes. */
  async next(within = 15_000): Promise<Buffer> {
    const deadline = AbortSignal.timeout(within);
    while (this.answers.length === 0) {
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        deadline.addEventListener('abort', () => {
          reject(new Error(`no answer within ${within} ms`));
        });
      });
    }
    return this.answers.shift() ?? Buffer.alloc(0);
  }

  async ask(datagram: string, within?: number): Promise<string> {
    this.send(datagram);
    return (await this.next(within)).toString();
  }

  close(): void {
    this.#socket.close();
  }
}
