import { UdpClient } from './udp-replica.js';

const CLIENTS_PER_ADDRESS = 12;

/** Clients that ask one after the other, until stopped; each request wants `<task id> <its own text>` in answer. */
export class UdpLoad {
  readonly failures: string[] = [];
  answers = 0;
  #running = true;
  readonly #loops: Promise<void>[];

  constructor(addresses: readonly string[]) {
    this.#loops = addresses.flatMap((address) =>
      Array.from({ length: CLIENTS_PER_ADDRESS }, (_none, index) => this.#loop(address, `${address}-${index}`)),
    );
  }

  /** Resolves when so many more answers have come. */
  async goOn(count: number): Promise<void> {
    const enough = this.answers + count;
    while (this.answers < enough && this.failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  async #loop(address: string, name: string): Promise<void> {
    const client = await UdpClient.open(address);
    for (let asked = 0; this.#running; asked += 1) {
      const text = `${name}-${asked}`;
      const answer = await client.ask(text).catch((error: unknown) => String(error));
      this.answers += 1;
      // Any other than its own means that an earlier one came twice or late.
      if (answer.split(' ')[1] !== text) this.failures.push(`${text}: ${answer}`);
    }
    client.close();
  }
}
