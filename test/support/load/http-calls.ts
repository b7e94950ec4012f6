import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import { PATIENCE, type LoadTarget } from './load-types.js';

const BODY = Buffer.alloc(1024 * 1024, 'bale ');
/** ms. */
const IDLE = 5_000;
const DIGEST = createHash('sha1').update(BODY).digest('hex');

/** HTTP requests to the replicas; each fails unless the answer is whole and right. */
export class HttpCalls {
  /**
   * Kept connections, as browsers and services keep them: those that nobody needs any more are closed. A mesh
   * process that was replaced would wait for them, for longer than a change may take.
   */
  readonly #kept = new Agent({ keepAlive: true, noDelay: true, timeout: IDLE });

  async get(target: LoadTarget, path: '/' | '/slow', connection: 'kept' | 'fresh'): Promise<void> {
    const text = await this.#call(target, path, connection === 'kept' ? this.#kept : false);
    if (text === '') throw new Error('an answer without a name');
  }

  /** 1 MiB, on a connection of its own. */
  async post(target: LoadTarget): Promise<void> {
    const text = await this.#call(target, '/', false, BODY);
    if (!text.endsWith(` ${BODY.length} ${DIGEST}`)) throw new Error(`a wrong answer: ${text.slice(0, 100)}`);
  }

  close(): void {
    this.#kept.destroy();
  }

  #call({ address, httpPort }: LoadTarget, path: string, agent: Agent | false, body?: Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-length': body.length };
      const method = body === undefined ? 'GET' : 'POST';
      const call = request({ host: address, port: httpPort, path, method, agent, headers, timeout: PATIENCE });
      call.on('response', (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          if (answer.statusCode === 200) resolve(text);
          else reject(new Error(`${answer.statusCode ?? 0} ${text.slice(0, 300)}`));
        });
      });
      call.on('timeout', () => call.destroy(new Error(`no answer within ${PATIENCE} ms`)));
      call.on('error', (error) => {
        reject(call.reusedSocket ? new Error(`${error.message} (kept connection)`) : error);
      });
      call.end(body);
    });
  }
}
