import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { Stream } from 'node:stream';
import type HttpProxy from 'http-proxy';
import type { Upstream } from './upstream.js';

/**
 * The one file that knows http-proxy. It makes the request to the endpoint from the client's and
 * carries the body; the connection is ours (`upstream` stands in for its agent), and so is the
 * answer, because http-proxy loses trailers, copies hop-by-hop headers and throws on an odd header
 * where nobody can catch it. Its other known faults are guarded by the caller (HttpExchange): it
 * never hears of a client that left after its request was read, drops the framing of a DELETE with a
 * chunked body, and rewrites paths.
 */
function createProxy(): HttpProxy {
  // Loaded with the first request: a node without HTTP traffic need not carry it.
  const httpProxy = createRequire(import.meta.url)('http-proxy') as typeof HttpProxy; // What the package exports.
  return httpProxy.createProxyServer({ selfHandleResponse: true, toProxy: true, ignorePath: true });
}

let proxy: HttpProxy | undefined;

/** Never dialled: only names the scheme, and the host of a request that has none (HTTP/1.0). */
const TARGET = { protocol: 'http:', host: 'localhost', port: 80 };

/** The body of a request that has none: ends the request at once, without the cost of a pipe. */
class NoBody extends Stream {
  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    destination.end();
    return destination;
  }
}
const NO_BODY = new NoBody();

/**
 * Sends `request` over `upstream`. `onError` may be called more than once, for the client's errors as
 * well as the endpoint's. Throws when a header cannot be sent.
 */
export function forwardRequest(
  request: IncomingMessage,
  response: ServerResponse,
  upstream: Upstream,
  hasBody: boolean,
  onError: (error: Error) => void,
): void {
  const options = { target: TARGET, agent: upstream };
  proxy ??= createProxy();
  proxy.web(request, response, hasBody ? options : { ...options, buffer: NO_BODY }, onError);
}
