import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { NotConnected } from './connector.js';
import type { Route } from './route.js';

/** An error of the mesh itself, as a client of HTTP sees it. */
export interface HttpError {
  readonly status: 400 | 502 | 503 | 504;
  /** One line, with the service and the port. */
  readonly body: string;
}

export const httpError = (status: HttpError['status'], route: Route, message: string): HttpError => ({
  status,
  body: `bale: service ${route.port.serviceName}, port ${route.publishedPort}: ${message.replaceAll(/\s+/g, ' ')}\n`,
});

export function notConnectedError(route: Route, { failure, message }: NotConnected): HttpError {
  switch (failure) {
    case 'none':
      return httpError(503, route, message);
    case 'timeout':
      return httpError(504, route, message);
    case 'refused':
    case 'unreachable':
      return httpError(502, route, message);
  }
}

/** s; a replica that is expected may be there by then. */
const RETRY_AFTER = '5';

const headersOf = ({ status, body }: HttpError): Record<string, string> => ({
  'Content-Type': 'text/plain; charset=utf-8',
  'Content-Length': String(Buffer.byteLength(body)),
  ...(status === 503 ? { 'Retry-After': RETRY_AFTER } : {}),
});

export function answerError(response: ServerResponse, error: HttpError): void {
  // With the reason: an earlier attempt may have left an odd one behind.
  response.writeHead(error.status, STATUS_CODES[error.status] ?? '', headersOf(error));
  response.end(error.body);
}

/** The same on a connection that is no longer node:http's; ends it. */
export function answerErrorRaw(client: Socket, error: HttpError): void {
  const headers = Object.entries({ ...headersOf(error), Connection: 'close' });
  const lines = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  client.write(`${lines.join('\r\n')}\r\n\r\n${error.body}`);
  client.destroySoon();
}
