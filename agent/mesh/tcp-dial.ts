import { connect, type Socket } from 'node:net';
import { errorCode, errorMessage } from '../../core/errors.js';
import { ignoreError, SOCKET_OPTIONS } from './byte-stream.js';
import { DialError } from './dial-error.js';

/** Connects to a container of this node. Rejects with a DialError within `timeout` ms. */
export function dialTcp(host: string, port: number, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ...SOCKET_OPTIONS });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new DialError('timeout', `${host}:${port} did not answer within ${Math.round(timeout)} ms`));
    }, timeout);
    const onError = (error: Error): void => {
      clearTimeout(timer);
      reject(new DialError(errorCode(error) === 'ECONNREFUSED' ? 'refused' : 'unreachable', errorMessage(error)));
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      socket.on('error', ignoreError);
      resolve(socket);
    });
  });
}
