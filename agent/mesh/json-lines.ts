import type { Socket } from 'node:net';

const NEWLINE = 0x0a;

/** The longest line taken, bytes: a table of tens of thousands of endpoints fits. */
export const LONGEST_LINE = 32 * 1024 * 1024;

/**
 * Reads JSON documents, one a line, from a socket. A line that is too long or no JSON ends the
 * connection: the other side is no bale.
 */
export function readJsonLines(
  socket: Socket,
  onDocument: (document: unknown) => void,
  longestLine = LONGEST_LINE,
): void {
  let pending: Buffer[] = [];
  let size = 0;
  socket.on('data', (chunk: Buffer) => {
    let rest = chunk;
    for (let end = rest.indexOf(NEWLINE); end >= 0 && !socket.destroyed; end = rest.indexOf(NEWLINE)) {
      const line = Buffer.concat([...pending, rest.subarray(0, end)]).toString('utf8');
      pending = [];
      size = 0;
      rest = rest.subarray(end + 1);
      const document = parse(line);
      if (document === undefined) socket.destroy(new Error('a line is no JSON document'));
      else onDocument(document.value);
    }
    if (rest.length === 0) return;
    pending.push(rest);
    size += rest.length;
    if (size > longestLine) socket.destroy(new Error(`a line has more than ${longestLine} bytes`));
  });
}

export const writeJsonLine = (socket: Socket, document: object): boolean =>
  socket.write(`${JSON.stringify(document)}\n`);

function parse(line: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(line) };
  } catch {
    return undefined;
  }
}
