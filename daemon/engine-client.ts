import { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { BaleError, errorMessage } from '../core/errors.js';

export interface EngineAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Small questions to the local Engine: its ping, version and info, the digest of an image. Everything that clients ask of
 * the Engine goes through engine-passthrough.ts instead.
 */
export class EngineClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** Throws BALE_ENGINE_UNREACHABLE when there is no answer; any status is an answer. */
  async get(path: string, signal: AbortSignal, headers: OutgoingHttpHeaders = {}): Promise<EngineAnswer> {
    try {
      const response = await this.#open(path, signal, headers);
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(toBuffer(chunk));
      return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
    } catch (error) {
      throw engineUnreachable(this.#socketPath, error);
    }
  }

  /** A JSON document of the Engine; its own error, status and text, when it refuses. */
  async document(path: string, signal: AbortSignal): Promise<Record<string, unknown>> {
    const { status, body } = await this.get(path, signal);
    const parsed = parseDocument(body);
    if (status === 200 && parsed !== undefined) return parsed;
    const message = typeof parsed?.message === 'string' ? parsed.message : `status ${status}`;
    throw new BaleError(`the Docker Engine answered GET ${path}: ${message}`, {
      kind: 'unavailable',
      code: 'BALE_ENGINE_REFUSED',
    });
  }

  #open(path: string, signal: AbortSignal, headers: OutgoingHttpHeaders): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent = { host: 'bale', ...headers };
      const call = request({ socketPath: this.#socketPath, path, agent: false, signal, headers: sent });
      call.on('response', resolve);
      call.on('error', reject);
      call.end();
    });
  }
}

export const engineUnreachable = (socketPath: string, cause: unknown): BaleError =>
  new BaleError(`cannot reach the Docker Engine at unix://${socketPath}: ${causeOf(cause)}; is it running?`, {
    kind: 'unavailable',
    code: 'BALE_ENGINE_UNREACHABLE',
    cause,
  });

/** `connect ENOENT /var/run/docker.sock` names the path again; the cause alone is enough. */
const causeOf = (cause: unknown): string => errorMessage(cause).replace(/^(connect [A-Z]+) .*$/, '$1');

const toBuffer = (chunk: unknown): Buffer => (Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)));

function parseDocument(body: Buffer): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return isDocument(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

const isDocument = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
