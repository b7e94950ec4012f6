import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';

/** The published port of the service `web`. */
const HTTP_PORT = 8080;

/** Resolves with status and text of the answer; without an `agent` over a connection of its own. */
export const ask = (host: string, agent: Agent | false = false): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ host, port: HTTP_PORT, agent }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.once('end', () => {
        resolve(`${answer.statusCode ?? 0} ${text}`);
      });
      answer.once('error', reject);
    }).once('error', reject);
  });

/** Clients that ask one after the other, until stopped; what did not answer 200 is a failure. */
export class Load {
  readonly failures: string[] = [];
  answers = 0;
  #running = true;
  readonly #loops: Promise<void>[];
  readonly #agent = new Agent({ keepAlive: true });

  constructor(hosts: readonly string[]) {
    this.#loops = hosts.flatMap((host) => [
      this.#loop(host, false),
      this.#loop(host, false),
      this.#loop(host, this.#agent),
      this.#loop(host, this.#agent),
    ]);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
    this.#agent.destroy();
  }

  async #loop(host: string, agent: Agent | false): Promise<void> {
    while (this.#running) {
      const answer = await ask(host, agent).catch((error: unknown) => String(error));
      this.answers += 1;
      if (!answer.startsWith('200 web')) this.failures.push(`${host}: ${answer}`);
    }
  }
}

/** A connection whose far end sends back what it gets. */
export class Echo {
  readonly #socket: Socket;
  broken: string | undefined;

  constructor(host: string, port: number) {
    this.#socket = connect(port, host);
    this.#socket.on('error', (error) => (this.broken = error.message));
    this.#socket.on('close', () => (this.broken ??= 'closed'));
  }

  /** One that began as an HTTP request. */
  static async webSocket(host: string): Promise<Echo> {
    const echo = new Echo(host, HTTP_PORT);
    const head = 'GET /ws HTTP/1.1\r\nHost: web\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const answer = await echo.say(head);
    if (!answer.startsWith('HTTP/1.1 101 ')) throw new Error(`the upgrade was answered with ${answer}`);
    return echo;
  }

  async say(text: string): Promise<string> {
    if (this.broken !== undefined) throw new Error(this.broken);
    const heard = new Promise<string>((resolve, reject) => {
      this.#socket.once('data', (chunk: Buffer) => {
        resolve(chunk.toString());
      });
      this.#socket.once('close', () => {
        reject(new Error(this.broken));
      });
    });
    this.#socket.write(text);
    return heard;
  }

  end(): void {
    this.#socket.destroy();
  }
}
