/** A contiguous range of IP addresses of one family: `10.0.0.7`, `10.0.0.0/8`, `fd00::/8`. */
export interface IpRange {
  readonly bits: 32 | 128;
  readonly address: bigint;
  /** Leading bits that count. */
  readonly prefix: number;
}

/** An address, or a CIDR block; undefined when the text is neither. */
export function parseIpRange(text: string): IpRange | undefined {
  const [host = '', length, ...rest] = text.split('/');
  const parsed = rest.length > 0 ? undefined : (parseV4(host) ?? parseV6(host));
  if (parsed === undefined) return undefined;
  if (length === undefined) return { ...parsed, prefix: parsed.bits };
  const prefix = /^\d{1,3}$/.test(length) ? Number(length) : Infinity;
  return prefix <= parsed.bits ? { ...parsed, prefix } : undefined;
}

/** Whether `range` holds the address that `text` says; false when it says none. */
export function holdsAddress(range: IpRange, text: string): boolean {
  const address = parseV4(text) ?? parseV6(text);
  if (address?.bits !== range.bits) return false;
  const ignored = BigInt(range.bits - range.prefix);
  return address.address >> ignored === range.address >> ignored;
}

type Address = Pick<IpRange, 'bits' | 'address'>;

function parseV4(text: string): Address | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined;
  return { bits: 32, address: parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n) };
}

function parseV6(text: string): Address | undefined {
  const halves = text.split('::');
  if (!text.includes(':') || halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':').flatMap(hextets)));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array<string>(missing).fill('0'), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const address = groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
  // ::ffff:10.0.0.7 is the IPv4 address as IPv6 sockets show it.
  return address >> 32n === 0xffffn ? { bits: 32, address: address & 0xffffffffn } : { bits: 128, address };
}

/** The dotted end of an address as two groups; any other group as it is. */
function hextets(group: string): readonly string[] {
  const v4 = parseV4(group);
  return v4 === undefined ? [group] : [(v4.address >> 16n).toString(16), (v4.address & 0xffffn).toString(16)];
}
