import { randomBytes } from 'node:crypto';

const ID_LENGTH = 25;

/** Base 36 of a big-endian number, left-padded with zeros to `width`. */
export function base36(bytes: Uint8Array, width: number): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value.toString(36).padStart(width, '0');
}

/**
 * A new object id: 25 characters of base 36, as the Engine makes them
 * (17 random bytes, top bit forced so the length is constant, first character dropped).
 */
export function newId(): string {
  const bytes = randomBytes(17);
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return base36(bytes, ID_LENGTH + 2).slice(-ID_LENGTH);
}
