import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { PATIENCE, type LoadTarget } from './load-types.js';
import { Session, type Codec } from './session.js';

const LINES: Codec = {
  encode: (text) => Buffer.from(`${text}\n`),
  decode: (bytes) => {
    const end = bytes.indexOf(10);
    return end < 0 ? undefined : { text: bytes.toString('utf8', 0, end), size: end + 1 };
  },
  goodbye: Buffer.alloc(0),
};

/** Messages of at most 125 bytes, masked with zeroes, which changes nothing. */
const FRAMES: Codec = {
  encode: (text) => Buffer.concat([Buffer.from([0x81, 0x80 | Buffer.byteLength(text), 0, 0, 0, 0]), Buffer.from(text)]),
  decode: (bytes) => {
    const size = 2 + (bytes[1] ?? Infinity);
    return bytes.length < size ? undefined : { text: bytes.toString('utf8', 2, size), size };
  },
  goodbye: Buffer.from([0x88, 0x80, 0, 0, 0, 0]),
};

/** A session of the protocol in which the server speaks first; open once it has greeted. */
export async function openTcp({ address, tcpPort }: LoadTarget): Promise<Session> {
  const session = new Session(connect({ host: address, port: tcpPort, noDelay: true }), LINES);
  session.replica = await session.receive();
  return session;
}

export function openWebSocket({ address, httpPort }: LoadTarget): Promise<Session> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    const call = request({ host: address, port: httpPort, path: '/socket', agent: false, headers, timeout: PATIENCE });
    call.on('upgrade', (answer, socket: Socket, head) => {
      socket.setTimeout(0);
      socket.setNoDelay(true);
      if (answer.headers['sec-websocket-accept'] !== 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=') {
        socket.destroy();
        reject(new Error(`upgrade without proof: ${JSON.stringify(answer.headers)}`));
        return;
      }
      if (head.length > 0) socket.unshift(head);
      const session = new Session(socket, FRAMES);
      session.replica = String(answer.headers['x-replica']);
      resolve(session);
    });
    call.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => {
        reject(new Error(`instead of an upgrade: ${answer.statusCode ?? 0} ${text.slice(0, 300)}`));
      });
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${PATIENCE} ms`)));
    call.on('error', reject);
    call.end();
  });
}
