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
  // Not `close(code)`, which ends the stream in order before it resets it.
  else if ('respond' in stream) stream.destroy(new Error('the connection to the container was cut'));
  else abortTunnel(stream);
}

/**
 * Whether the end of input that a stream tells (its 'end') is one that the other side meant. Node
 * ends the input of an HTTP/2 stream also when it was reset or its session broke.
 */
export const isOrderlyEnd = (stream: ByteStream | ServerHttp2Stream): boolean =>
  !stream.destroyed && (stream instanceof Socket || stream.rstCode === constants.NGHTTP2_NO_ERROR);

/** For 'error': whoever holds a stream learns all it needs by its 'close'. */
export const ignoreError = (): undefined => undefined;
