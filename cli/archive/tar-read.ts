import type { Readable } from 'node:stream';
import { BLOCK, decodeHeader, notTar, padding, type TarEntry } from './tar-header.js';

/** Names and the like are small: an archive that says otherwise shall not fill the memory. */
const LARGEST_EXTENSION = 1024 * 1024;

export interface ReadEntry {
  readonly entry: TarEntry;
  /** The bytes of a file. What is not read is passed over. */
  readonly body: AsyncIterable<Buffer>;
}

/** The entries of an archive as it comes, one after the other. Throws BALE_ARCHIVE_INVALID. */
export async function* readArchive(source: Readable): AsyncGenerator<ReadEntry> {
  const bytes = new ByteReader(source);
  let extras: Partial<TarEntry> = {};
  for (;;) {
    const header = decodeHeader(await bytes.exactly(BLOCK));
    switch (header.kind) {
      case 'end':
        // Read on to the end: whoever sends would wait for ever.
        await bytes.drain();
        return;
      case 'extended':
        extras = { ...extras, ...extendedRecords(await extension(bytes, header.size)) };
        break;
      case 'long-name':
        extras = { ...extras, name: untilZero(await extension(bytes, header.size)) };
        break;
      case 'long-target':
        extras = { ...extras, target: untilZero(await extension(bytes, header.size)) };
        break;
      case 'global':
        await extension(bytes, header.size);
        break;
      case 'entry': {
        const merged = { ...header.entry, ...extras };
        extras = {};
        const entry = { ...merged, name: merged.name.replace(/\/+$/, '') || merged.name };
        const left = { size: entry.size };
        yield { entry, body: bytes.upTo(left) };
        for await (const _rest of bytes.upTo(left));
        await bytes.exactly(padding(entry.size));
      }
    }
  }
}

async function extension(bytes: ByteReader, size: number): Promise<Buffer> {
  if (size > LARGEST_EXTENSION) throw notTar();
  const body = await bytes.exactly(size);
  await bytes.exactly(padding(size));
  return body;
}

const untilZero = (body: Buffer): string => body.toString('utf8').replace(/\0.*$/s, '');

function extendedRecords(body: Buffer): Partial<TarEntry> {
  const found = new Map<string, string>();
  for (let at = 0; at < body.length;) {
    const length = Number.parseInt(body.toString('latin1', at, at + 20), 10);
    if (!(length > 0) || at + length > body.length) throw notTar();
    const record = body.toString('utf8', at, at + length - 1);
    const equals = record.indexOf('=');
    found.set(record.slice(record.indexOf(' ') + 1, equals), record.slice(equals + 1));
    at += length;
  }
  const [path, linkpath, size] = [found.get('path'), found.get('linkpath'), found.get('size')];
  return {
    ...(path === undefined ? {} : { name: path }),
    ...(linkpath === undefined ? {} : { target: linkpath }),
    ...(size === undefined ? {} : { size: Number(size) }),
  };
}

/** Bytes of a stream by count. */
class ByteReader {
  readonly #chunks: AsyncIterator<unknown>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: Readable) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  async exactly(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.upTo({ size: count })) parts.push(part);
    return Buffer.concat(parts);
  }

  /** As many bytes as `left` says, which counts down. Throws BALE_ARCHIVE_INVALID at an early end. */
  async *upTo(left: { size: number }): AsyncGenerator<Buffer> {
    while (left.size > 0) {
      if (this.#held.length === 0 && !(await this.#fill())) throw notTar();
      const part = this.#held.subarray(0, left.size);
      this.#held = this.#held.subarray(part.length);
      left.size -= part.length;
      yield part;
    }
  }

  async drain(): Promise<void> {
    while (await this.#fill());
  }

  async #fill(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done === true) return false;
    this.#held = Buffer.isBuffer(next.value) ? next.value : Buffer.from(String(next.value));
    return true;
  }
}
