import type { ClientRequest } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { createCsr, newPrivateKey } from '../../core/x509.js';
import type { ClientRole, IssuedClientCertificate } from '../../proto/client-certificate.js';
import type { DaemonApi } from './daemon-api.js';
import { type Answer, answerOf, type Question, readAnswer } from './socket-client.js';

/** What a client shows; PEM. Without a certificate it shows none. */
export interface ClientFiles {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

/** A client certificate, made as the CLI makes one. */
export async function makeClient(
  api: DaemonApi,
  name: string,
  role: ClientRole,
  expiry?: number,
): Promise<Required<ClientFiles>> {
  const key = newPrivateKey();
  const body = { name, role, csr: createCsr(key), ...(expiry === undefined ? {} : { expiry }) };
  const { status, text } = await api.ask('POST', '/bale/client-certificates/create', { body });
  if (status !== 201) throw new Error(text);
  const { ca, certificate } = JSON.parse(text) as IssuedClientCertificate; // our own answer, of this form
  return { ca, cert: certificate, key };
}

/** An HTTPS client of a daemon on 127.0.0.1. */
export class RemoteClient {
  readonly port: number;
  readonly #files: ClientFiles;

  constructor(port: number, files: ClientFiles) {
    this.port = port;
    this.#files = files;
  }

  open(path: string, options: RequestOptions = {}): ClientRequest {
    return request({ host: '127.0.0.1', port: this.port, path, agent: false, ...this.#files, ...options });
  }

  async ask(request: string, { body, headers = {} }: Omit<Question, 'method'> = {}): Promise<Answer> {
    const [method = 'GET', path = '/'] = request.split(' ');
    const isDocument = body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body);
    const call = this.open(path, { method, headers: isDocument ? { 'Content-Type': 'application/json' } : headers });
    call.end(isDocument ? JSON.stringify(body) : body);
    return readAnswer(await answerOf(call));
  }

  /** A bare connection, once its handshake is done on this side. */
  connect(options: ConnectionOptions = {}): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      // node:tls hands this one on to node:net; its types do not say so.
      const halfOpen = { allowHalfOpen: true };
      const socket = connect({ host: '127.0.0.1', port: this.port, ...halfOpen, ...this.#files, ...options }, () => {
        socket.off('error', reject);
        resolve(socket);
      });
      socket.once('error', reject);
    });
  }
}
