import { expect, test } from 'vitest';
import { encodeFrame, UdpFrameReader, type UdpFrame } from '../../../../agent/mesh/udp-frame.js';

const frames: readonly UdpFrame[] = [
  { kind: 'datagram', session: 1, payload: Buffer.from('hello') },
  { kind: 'datagram', session: 4_294_967_295, payload: Buffer.alloc(0) },
  { kind: 'refused', session: 2, payload: Buffer.alloc(0) },
  { kind: 'datagram', session: 3, payload: Buffer.alloc(65_507, 7) },
  { kind: 'close', session: 3, payload: Buffer.alloc(0) },
];
const bytes = Buffer.concat(frames.map(({ kind, session, payload }) => encodeFrame(kind, session, payload)));

test.each([1, 2, 7, 8, 1_000, 65_536, bytes.length])('frames are found in pieces of %i bytes', (size) => {
  const reader = new UdpFrameReader();
  const found: UdpFrame[] = [];
  for (let at = 0; at < bytes.length; at += size) found.push(...(reader.read(bytes.subarray(at, at + size)) ?? []));
  expect(found.map(({ kind, session, payload }) => [kind, session, payload.toString('hex')])).toEqual(
    frames.map(({ kind, session, payload }) => [kind, session, payload.toString('hex')]),
  );
});

test('bytes that are no frames are told', () => {
  expect(new UdpFrameReader().read(Buffer.from('GET / HTTP/1.1\r\n'))).toBeUndefined();
});
