import { request, type ClientRequest } from 'node:http';
import type { Hosts } from '../../test/support/hosts.js';

/**
 * Counts the containers that the Engines start, as they tell it. So a measurement need not ask a control
 * plane again and again while containers start: that would load the processors whose work is measured.
 */
export class ContainerStarts implements Disposable {
  #count = 0;
  readonly #streams: readonly ClientRequest[];
  #onStart = (): void => undefined;

  private constructor(streams: readonly ClientRequest[]) {
    this.#streams = streams;
  }

  /** Resolves once every Engine tells its events. */
  static async watch(hosts: Hosts): Promise<ContainerStarts> {
    const filters = encodeURIComponent(JSON.stringify({ type: { container: true }, event: { start: true } }));
    const streams = hosts.all.map(({ engineSocket }) =>
      request({ socketPath: engineSocket, path: `/events?filters=${filters}` }),
    );
    const starts = new ContainerStarts(streams);
    await Promise.all(streams.map((stream) => starts.#read(stream)));
    return starts;
  }

  /** Resolves when `count` containers were started since the watch began. */
  reached(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#onStart = (): void => {
        if (this.#count >= count) resolve();
      };
      this.#onStart();
    });
  }

  [Symbol.dispose](): void {
    for (const stream of this.#streams) stream.destroy();
  }

  #read(stream: ClientRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      stream.on('error', reject);
      stream.on('response', (response) => {
        resolve();
        response.on('error', () => undefined); // it ends with the watch
        response.setEncoding('utf8').on('data', (text: string) => {
          this.#count += text.split('\n').filter((line) => line !== '').length;
          this.#onStart();
        });
      });
      stream.end();
    });
  }
}
