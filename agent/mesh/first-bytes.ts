import { METHODS } from 'node:http';

/** What the first bytes of a client are. `more` = it may still become a request line. */
export type FirstBytes = 'http' | 'opaque' | 'more';

/** The longest request line that is waited for; what is longer is passed on as it is. */
const LONGEST_LINE = 16 * 1024;
const SPACE = 0x20;
const NEWLINE = 0x0a;

/** A CONNECT asks for a tunnel, which is bytes after its head: it is passed on as it is. */
const methods = new Set(METHODS.filter((method) => method !== 'CONNECT'));
const longestMethod = Math.max(...METHODS.map((method) => method.length));

/**
 * Decides by the first bytes whether a client speaks HTTP/1: a whole request line with a known
 * method and `HTTP/1.0` or `HTTP/1.1` at its end. All else (TLS, the preface of HTTP/2, a database's
 * greeting, HTTP with a method of its own) is opaque.
 */
export function classifyFirstBytes(bytes: Buffer): FirstBytes {
  const space = bytes.indexOf(SPACE);
  if (space < 0) return bytes.length <= longestMethod && isMethodStart(bytes.toString('latin1')) ? 'more' : 'opaque';
  if (space > longestMethod || !methods.has(bytes.toString('latin1', 0, space))) return 'opaque';
  const newline = bytes.indexOf(NEWLINE, space);
  if (newline < 0) return bytes.length <= LONGEST_LINE ? 'more' : 'opaque';
  return / HTTP\/1\.[01]\r?$/.test(bytes.toString('latin1', space, newline)) ? 'http' : 'opaque';
}

function isMethodStart(text: string): boolean {
  for (const method of methods) if (method.startsWith(text)) return true;
  return false;
}
