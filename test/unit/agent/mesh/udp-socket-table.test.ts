import { createSocket } from 'node:dgram';
import { expect, test } from 'vitest';
import { hasUdpSocket, takesDatagrams } from '../../../../agent/mesh/udp-socket-table.js';

const HEADER = '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (local: string, remote: string): string =>
  `  123: ${local} ${remote} 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 0\n`;
const ANY = '00000000:0000';
const ANY_6 = '00000000000000000000000000000000:0000';

test('a socket on any address, or on this one, takes what is sent to its port', () => {
  expect(takesDatagrams(HEADER + line('00000000:0035', ANY), '172.17.0.5', 53)).toBe(true);
  expect(takesDatagrams(HEADER + line('050011AC:0035', ANY), '172.17.0.5', 53)).toBe(true);
  expect(takesDatagrams(HEADER + line('00000000000000000000000000000000:0035', ANY_6), '172.17.0.5', 53)).toBe(true);
  expect(
    takesDatagrams(HEADER + line('000080FE00000000FF00110201020304:0035', ANY_6), 'fe80::211:ff:403:201', 53),
  ).toBe(true);
});

test('one on another address or port, or with a peer of its own, does not', () => {
  const others = [
    line('0100007F:0035', ANY),
    line('00000000:0036', ANY),
    line('00000000:0135', ANY),
    line('050011AC:0035', '060011AC:1234'),
  ];
  expect(takesDatagrams(HEADER + others.join(''), '172.17.0.5', 53)).toBe(false);
  expect(takesDatagrams('', '172.17.0.5', 53)).toBe(false);
  expect(takesDatagrams(HEADER + line('00000000:0035', ANY), 'not an address', 53)).toBe(false);
});

test.each(['udp4', 'udp6'] as const)('a %s socket of this process is found while it is bound', async (type) => {
  const socket = createSocket(type);
  await new Promise<void>((resolve) => socket.bind(0, resolve));
  const { port } = socket.address();
  expect(hasUdpSocket(process.pid, '127.0.0.1', port)).toBe(true);
  await new Promise<void>((resolve) => {
    socket.close(resolve);
  });
  expect(hasUdpSocket(process.pid, '127.0.0.1', port)).toBe(false);
});

test('a process that is gone has none', () => {
  expect(hasUdpSocket(2 ** 22 + 1, '127.0.0.1', 53)).toBe(false);
});
