import { BaleError } from '../../core/errors.js';

/** One operand of `cp`: a path here, a path in a container, or a stream. */
export type CopyOperand =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'container'; readonly container: string; readonly path: string }
  | { readonly kind: 'stream' };

/** `web.3:/etc` is in a container; `./a:b` and `/a:b` are here. Throws BALE_COPY_REFUSED for an empty path. */
export function copyOperand(text: string): CopyOperand {
  if (text === '-') return { kind: 'stream' };
  const colon = text.indexOf(':');
  if (text.startsWith('/') || text.startsWith('.') || colon < 0) return { kind: 'local', path: text };
  const [container, path] = [text.slice(0, colon), text.slice(colon + 1)];
  if (container === '' || path === '') throw refused(`${text}: write it as TASK:PATH`);
  // Relative to the root, as docker has it.
  return { kind: 'container', container, path: path.startsWith('/') ? path : `/${path}` };
}

/** What is known of one end of a copy. */
export interface CopyEnd {
  /** With the `/` or `/.` at the end that the user gave it. */
  readonly path: string;
  readonly exists: boolean;
  readonly isDirectory: boolean;
}

/** Where the archive is unpacked, and what its first entry is called there. */
export interface CopyPlan {
  readonly directory: string;
  /** Empty: what is in the source goes straight into the directory. */
  readonly name: string;
}

/** docker's rules of `cp`, which are those of `cp -a`. Throws BALE_COPY_REFUSED. */
export function copyPlan(source: CopyEnd, destination: CopyEnd): CopyPlan {
  if (destination.exists && destination.isDirectory) return { directory: destination.path, name: baseOf(source.path) };
  if (destination.exists && source.isDirectory) throw refused('cannot copy directory');
  if (!destination.exists && !source.isDirectory && /\/\.?$/.test(destination.path)) throw refused('no such directory');
  return { directory: parentOf(destination.path), name: baseOf(destination.path) };
}

/** The last name of a path; empty for one that ends with `/.`, and for the root. */
export function baseOf(path: string): string {
  if (/(^|\/)\.$/.test(path)) return '';
  return path.replace(/\/+$/, '').replace(/^.*\//s, '');
}

export function parentOf(path: string): string {
  const parent = path.replace(/\/+\.?$/, '').replace(/[^/]+$/, '');
  return parent === '' ? (path.startsWith('/') ? '/' : '.') : parent.replace(/(?<=.)\/+$/, '');
}

/** Renames entries so that the first one, `from`, is called `to`, and all others lie below it. */
export function renamed(name: string, from: string, to: string): string {
  const rest = from === '' ? name.replace(/^\.(\/|$)/, '') : name === from ? '' : name.slice(from.length + 1);
  return [to, rest].filter((part) => part !== '').join('/');
}

export const refused = (message: string): BaleError =>
  new BaleError(message, { kind: 'failed-precondition', code: 'BALE_COPY_REFUSED' });
