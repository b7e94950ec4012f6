import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A stretch of network between one agent and its manager that tests can cut, or tear. */
export class Relay {
  readonly addr: string;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #cut = false;

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.addr = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const [host = '', port = ''] = target.split(':');
    server.on('connection', (near) => {
      const far = connect({ host, port: Number(port), noDelay: true });
      const pair = [near, far] as const;
      this.#pairs.add(pair);
      for (const [from, to] of [pair, [far, near] as const]) {
        from.on('error', () => to.destroy());
        from.on('close', () => {
          to.destroy();
          this.#pairs.delete(pair);
        });
        from.on('data', (data) => {
          // What is sent while the network is cut is lost; TCP would send it again, which a test of seconds does not miss.
          if (!this.#cut) to.write(data);
        });
      }
    });
  }

  static async start(target: string): Promise<Relay> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Relay(server, target);
  }

  /** Nothing gets through, and nobody is told. */
  cut(): void {
    this.#cut = true;
  }

  /** Connections that the cut garbled end; new ones get through. */
  heal(): void {
    this.#cut = false;
    this.tear();
  }

  /** Both ends see their connections break, as when a process dies. */
  tear(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.tear();
    await closed;
  }
}
