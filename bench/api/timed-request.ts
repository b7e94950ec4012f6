import { Agent, request } from 'node:http';

/** Connections are kept, as those of clients of the Engine are. */
const agent = new Agent({ keepAlive: true });

export interface Timed {
  /** From the call to the last byte of the answer, ms. The answer is not parsed meanwhile. */
  readonly ms: number;
  readonly body: Buffer;
}

/** One request that must succeed. The body is a document. */
export function timedRequest(
  socketPath: string,
  path: string,
  options: { readonly method?: string; readonly body?: unknown } = {},
): Promise<Timed> {
  const { method = 'GET', body } = options;
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const call = request({ socketPath, path, method, headers, agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const ms = performance.now() - start;
        const whole = Buffer.concat(parts);
        if ((response.statusCode ?? 500) < 300) resolve({ ms, body: whole });
        else
          reject(new Error(`${method} ${path}: ${response.statusCode ?? 0} ${whole.toString('utf8').slice(0, 500)}`));
      });
    });
    call.on('error', reject);
    call.end(text);
  });
}
