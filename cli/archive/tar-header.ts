import { BaleError } from '../../core/errors.js';

/** Everything in a tar archive comes in blocks of this many bytes. */
export const BLOCK = 512;

export type TarKind = 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';

/** One entry of a tar archive. */
export interface TarEntry {
  /** As in the archive, without a slash at the end. */
  readonly name: string;
  readonly kind: TarKind;
  /** Bytes; 0 unless it is a file. */
  readonly size: number;
  /** Permission bits, to 0o7777. */
  readonly mode: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a link: what it leads to. */
  readonly target: string;
}

const TYPES: Readonly<Record<TarKind, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  directory: '5',
  other: '0',
};

const LONGEST_NAME = 100;
/** Eleven octal digits. */
const LARGEST_SIZE = 8 ** 11 - 1;
/** Seven octal digits. */
const LARGEST_ID = 8 ** 7 - 1;

/** The header of an entry, with one of POSIX's extended headers before it where the old fields are too small. */
export function encodeHeader(entry: TarEntry): Buffer {
  const name = entry.kind === 'directory' ? `${entry.name}/` : entry.name;
  const records = [
    ...(fits(name) ? [] : [record('path', name)]),
    ...(fits(entry.target) ? [] : [record('linkpath', entry.target)]),
    ...(entry.size <= LARGEST_SIZE ? [] : [record('size', String(entry.size))]),
    ...(entry.uid <= LARGEST_ID ? [] : [record('uid', String(entry.uid))]),
    ...(entry.gid <= LARGEST_ID ? [] : [record('gid', String(entry.gid))]),
  ];
  const plain = block({ ...entry, name }, TYPES[entry.kind]);
  if (records.length === 0) return plain;
  const body = Buffer.concat(records);
  const extended = { ...entry, name: 'PaxHeaders/entry', target: '', size: body.length };
  return Buffer.concat([block(extended, 'x'), body, Buffer.alloc(padding(body.length)), plain]);
}

/** Zeros that fill the last block of `size` bytes. */
export const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

const fits = (text: string): boolean => text.length <= LONGEST_NAME && /^[\x20-\x7e]*$/.test(text);

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits too. */
function record(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function block(entry: TarEntry, type: string): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(entry.name.slice(0, LONGEST_NAME), 0, LONGEST_NAME, 'latin1');
  header.write(octal(entry.mode, 7), 100);
  header.write(octal(entry.uid <= LARGEST_ID ? entry.uid : 0, 7), 108);
  header.write(octal(entry.gid <= LARGEST_ID ? entry.gid : 0, 7), 116);
  header.write(octal(entry.size <= LARGEST_SIZE ? entry.size : 0, 11), 124);
  header.write(octal(Math.max(0, Math.trunc(entry.mtime)), 11), 136);
  header.write(type, 156);
  header.write(entry.target.slice(0, LONGEST_NAME), 157, LONGEST_NAME, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  header.write(`${octal(checksum(header), 6)}\0 `, 148, 'latin1');
  return header;
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');

/** The sum of all bytes, with the field of the sum itself as blanks. */
function checksum(header: Buffer): number {
  let sum = 8 * 0x20;
  header.forEach((byte, at) => {
    if (at < 148 || at >= 156) sum += byte;
  });
  return sum;
}

export type DecodedHeader =
  | { readonly kind: 'end' }
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  /** Its body says something of the next entry. */
  | { readonly kind: 'extended' | 'long-name' | 'long-target' | 'global'; readonly size: number };

/** Reads one header block. Throws BALE_ARCHIVE_INVALID. */
export function decodeHeader(header: Buffer): DecodedHeader {
  if (header.every((byte) => byte === 0)) return { kind: 'end' };
  if (number(header, 148, 8) !== checksum(header)) throw notTar();
  const type = String.fromCharCode(header[156] ?? 0);
  const size = number(header, 124, 12);
  switch (type) {
    case 'x':
      return { kind: 'extended', size };
    case 'g':
      return { kind: 'global', size };
    case 'L':
      return { kind: 'long-name', size };
    case 'K':
      return { kind: 'long-target', size };
    default: {
      const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? text(header, 345, 155) : '';
      const name = text(header, 0, LONGEST_NAME);
      return { kind: 'entry', entry: entryOf(header, type, size, prefix === '' ? name : `${prefix}/${name}`) };
    }
  }
}

const entryOf = (header: Buffer, type: string, size: number, name: string): TarEntry => ({
  ...{ name, kind: kindOf(type, name), size, target: text(header, 157, LONGEST_NAME) },
  ...{ mode: number(header, 100, 8) & 0o7777, uid: number(header, 108, 8), gid: number(header, 116, 8) },
  mtime: number(header, 136, 12),
});

function kindOf(type: string, name: string): TarKind {
  switch (type) {
    case '0':
    case '7':
      return 'file';
    case '\0':
      return name.endsWith('/') ? 'directory' : 'file';
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '5':
      return 'directory';
    default:
      return 'other';
  }
}

function text(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

/** Octal digits, or, with the highest bit of the first byte set, GNU's binary form. */
function number(header: Buffer, at: number, length: number): number {
  if (((header[at] ?? 0) & 0x80) !== 0) return Number(header.readBigUInt64BE(at + length - 8));
  const digits = text(header, at, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw notTar();
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

export const notTar = (): BaleError =>
  new BaleError('the archive is not one of tar, or it is damaged', { kind: 'invalid', code: 'BALE_ARCHIVE_INVALID' });
