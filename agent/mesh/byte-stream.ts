import { constants, type ClientHttp2Stream, type ServerHttp2Stream } from 'node:http2';
import { Socket, type SocketConstructorOpts, type TcpNetConnectOpts } from 'node:net';
import { abortTunnel } from './tunnel-abort.js';

/** What bytes of a user flow through: a TCP connection, or the dialling end of a tunnel to one. */
export type ByteStream = Socket | ClientHttp2Stream;

/** Options of every TCP connection that carries a user's bytes. */
export const SOCKET_OPTIONS = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
  highWaterMark: 128 * 1024,
} satisfies SocketConstructorOpts & Partial<TcpNetConnectOpts> & { highWaterMark: number };

/** Cuts a stream so that its other end sees a reset, never an orderly end. */
export function resetStream(stream: ByteStream | ServerHttp2Stream): void {
  if (stream.destroyed) return;
  if (stream instanceof Socket) stream.resetAndDestroy();
  else if ('respond' in stream) stream.close(constants.NGHTTP2_CONNECT_ERROR);
  else abortTunnel(stream);
}

/** For 'error': whoever holds a stream learns all it needs by its 'close'. */
export const ignoreError = (): undefined => undefined;
