import type { ClientHttp2Stream } from 'node:http2';

interface PendingWrite {
  readonly chunk: Buffer | string;
  readonly encoding: BufferEncoding;
}

/**
 * Makes a tunnel send what was gathered while it was busy as one piece. Node 20 frees the memory of
 * gathered writes too early when the last of them is empty, which is how node:http ends each request:
 * the first bytes of the request would arrive as garbage.
 */
export function joinGatheredWrites(stream: ClientHttp2Stream): void {
  stream._writev = (writes: readonly PendingWrite[], callback) => {
    const joined = Buffer.concat(writes.map(bytesOf));
    if (joined.length === 0) callback();
    else stream._write(joined, 'buffer' as BufferEncoding, callback); // What Node itself passes for a Buffer.
  };
}

/** Node tells Buffers apart by their type; the encoding of one says nothing. */
const bytesOf = ({ chunk, encoding }: PendingWrite): Buffer =>
  typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
