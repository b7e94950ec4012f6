import { connect, type Socket } from 'node:net';
import { errorCode, errorMessage } from '../../core/errors.js';
import { ignoreError, SOCKET_OPTIONS } from './byte-stream.js';
import { DialError } from './dial-error.js';
import { waitAtMost } from './patience.js';

/** Connects to a container of this node. Rejects with a DialError within `timeout` ms. */
export function dialTcp(host: string, port: number, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ...SOCKET_OPTIONS });
    const settle = waitAtMost(timeout, () => {
      socket.destroy();
      reject(new DialError('timeout', `${host}:${port} did not answer within ${Math.round(timeout)} ms`));
    });
    const onError = (error: Error): void => {
      settle();
      reject(new DialError(errorCode(error) === 'ECONNREFUSED' ? 'refused' : 'unreachable', errorMessage(error)));
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      settle();
      socket.off('error', onError);
      socket.on('error', ignoreError);
      resolve(socket);
    });
  });
}
