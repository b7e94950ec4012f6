import { request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A document, or text as it stands. */
  readonly body?: unknown;
}

/** One HTTP call over a unix socket. */
export function socketRequest(socketPath: string, path: string, options: RequestOptions = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = options;
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath,
        path,
        method,
        headers: { ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      },
      (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text: received });
        });
        response.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(text);
  });
}

/** As `socketRequest`, for calls that must succeed with a JSON document. `T` is what the caller knows the API answers. */
export async function socketDocument<T>(socketPath: string, path: string, options: RequestOptions = {}): Promise<T> {
  const answer = await socketRequest(socketPath, path, options);
  if (answer.status >= 300) throw new Error(`${options.method ?? 'GET'} ${path}: ${answer.status} ${answer.text}`);
  return (answer.text === '' ? undefined : JSON.parse(answer.text)) as T;
}
