import { constants, type ClientHttp2Session, type ClientHttp2Stream, type Http2Session } from 'node:http2';
import { abortPath } from './tunnel-protocol.js';

/**
 * Cuts a tunnel from its dialling end. The other end is asked to reset the stream, instead of being
 * sent a reset: an HTTP/2 server takes more than a few dozen resets a second for an attack and ends
 * the session with every tunnel in it, so impatient clients could cut others off.
 */
export function abortTunnel(stream: ClientHttp2Stream): void {
  const { session } = stream;
  if (!isClientSession(session) || session.destroyed || session.closed || stream.id === undefined || stream.closed) {
    stream.close(constants.NGHTTP2_CANCEL);
    return;
  }
  // What still arrives until then is thrown away.
  stream.removeAllListeners('data');
  stream.resume();
  const request = session.request({ ':method': 'POST', ':path': abortPath(stream.id) }, { endStream: true });
  request.on('error', () => stream.close(constants.NGHTTP2_CANCEL));
  request.resume();
}

const isClientSession = (session: Http2Session | undefined): session is ClientHttp2Session =>
  session !== undefined && 'request' in session;
