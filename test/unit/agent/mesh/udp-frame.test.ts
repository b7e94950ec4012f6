import { expect, test } from 'vitest';
import { encodeFrame, UdpFrameReader, type UdpFrame } from '../../../../agent/mesh/udp-frame.js';

const framesWith = (largest: number): readonly UdpFrame[] => [
  { kind: 'datagram', session: 1, payload: Buffer.from('hello') },
  { kind: 'datagram', session: 4_294_967_295, payload: Buffer.alloc(0) },
  { kind: 'refused', session: 2, payload: Buffer.alloc(0) },
  { kind: 'datagram', session: 3, payload: Buffer.alloc(largest, 7) },
  { kind: 'close', session: 3, payload: Buffer.alloc(0) },
];

test.each([
  [1, 600],
  [2, 600],
  [7, 600],
  [8, 600],
  [1_000, 65_507],
  [65_536, 65_507],
  [Infinity, 65_507],
])('frames are found in pieces of %d bytes, the largest with %i', (size, largest) => {
  const frames = framesWith(largest);
  const bytes = Buffer.concat(frames.map(({ kind, session, payload }) => encodeFrame(kind, session, payload)));
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
