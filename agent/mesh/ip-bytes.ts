const MAPPED = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

/** The address without its zone, an IPv4 address within IPv6 (a client of a listener on `::`) as plain IPv4. */
export const plainAddress = (address: string): string => address.replace(/%.*$/, '').replace(MAPPED, '');

/** The 4 or 16 bytes of an address as node:net writes it; undefined when it is none. */
export function parseIp(address: string): Buffer | undefined {
  const plain = plainAddress(address);
  return plain.includes(':') ? parseIpv6(plain) : parseIpv4(plain);
}

function parseIpv4(text: string): Buffer | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined;
  return Buffer.from(parts.map(Number));
}

function parseIpv6(text: string): Buffer | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':').map(parseGroup)));
  const before = (head ?? []).flat();
  const after = (tail ?? []).flat();
  const missing = 16 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  const bytes = [...before, ...Array.from({ length: missing }, () => 0), ...after];
  return bytes.every((byte) => byte >= 0) ? Buffer.from(bytes) : undefined;
}

/** Its bytes: two, or four of an IPv4 address at the end; a negative one when it is wrong. */
function parseGroup(group: string): readonly number[] {
  if (group.includes('.')) return [...(parseIpv4(group) ?? [-1, -1, -1, -1])];
  if (!/^[0-9a-f]{1,4}$/i.test(group)) return [-1, -1];
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}
