import type { ContainerSpec } from './container-spec.js';
import { specError } from './spec-error.js';

/** A secret or config as one container gets it. */
export interface FileReference {
  readonly kind: 'secret' | 'config';
  readonly id: string;
  readonly name: string;
  /** As the spec has it: what `secret` and `config` in a template name. */
  readonly fileName: string;
  /** Absolute, in the container. */
  readonly target: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

type Reference = Pick<FileReference, 'kind' | 'id' | 'name'> & { readonly file: FileTarget | undefined };
interface FileTarget {
  readonly Name: string;
  readonly UID: string;
  readonly GID: string;
  readonly Mode: number;
}

const SECRETS = '/run/secrets';
/** The largest id that Linux has for users and groups. */
const LARGEST_ID = 2 ** 32 - 2;

const references = (container: ContainerSpec): readonly Reference[] => [
  ...(container.Secrets ?? []).map(
    ({ SecretID: id, SecretName: name, File: file }) => ({ kind: 'secret', id, name, file }) as const,
  ),
  ...(container.Configs ?? []).map(
    ({ ConfigID: id, ConfigName: name, File: file }) => ({ kind: 'config', id, name, file }) as const,
  ),
];

/** The files of a container, secrets first, in the order of its spec, which `checkFileReferences` has passed. */
export const fileReferences = (container: ContainerSpec): readonly FileReference[] =>
  references(container).map(({ kind, id, name, file }) => ({
    kind,
    id,
    name,
    fileName: file?.Name ?? name,
    target: targetPath(kind, file?.Name ?? name),
    uid: Number(file?.UID ?? 0),
    gid: Number(file?.GID ?? 0),
    mode: file?.Mode ?? 0o444,
  }));

/** SwarmKit's rules for references, in its words. Whether what they name is there is the store's to say. Throws BALE_SPEC_INVALID. */
export function checkFileReferences(container: ContainerSpec): void {
  const targets = new Map<string, string>();
  const paths = new Map((container.Mounts ?? []).map(({ Target = '' }) => [Target, `the mount at ${Target}`]));
  for (const { kind, id, name, file } of references(container)) {
    if (id === '' || name === '') throw specError(`malformed ${kind} reference`);
    if (file === undefined) throw specError(`malformed ${kind} reference, no target provided`);
    if (file.Name === '') throw specError(`malformed file ${kind} reference, invalid target file name provided`);
    const key = `${kind} ${file.Name}`;
    const earlier = targets.get(key);
    if (earlier !== undefined) {
      throw specError(`${kind} references '${earlier}' and '${name}' have a conflicting target: '${file.Name}'`);
    }
    targets.set(key, name);
    checkFile(kind, name, file);
    const path = targetPath(kind, file.Name);
    const taken = paths.get(path);
    if (taken !== undefined) {
      throw specError(`ContainerSpec: ${kind} ${name} and ${taken} have a conflicting target: ${path}`);
    }
    paths.set(path, `${kind} ${name}`);
  }
}

function checkFile(kind: FileReference['kind'], name: string, file: FileTarget): void {
  for (const field of ['UID', 'GID'] as const) {
    const value = file[field];
    if (!/^\d{0,10}$/.test(value) || Number(value) > LARGEST_ID) {
      throw specError(`ContainerSpec: ${kind} ${name}: ${field} must be a number, got ${JSON.stringify(value)}`);
    }
  }
  if (file.Mode > 0o7777) {
    throw specError(`ContainerSpec: ${kind} ${name}: Mode must be at most 07777, got 0${file.Mode.toString(8)}`);
  }
  if (targetPath(kind, file.Name) === '/' || file.Name.endsWith('/') || file.Name.includes('\0')) {
    throw specError(`malformed file ${kind} reference, invalid target file name provided`);
  }
}

/** Where the Engine puts it: a secret below /run/secrets, a config below the root, unless its name is a whole path. */
function targetPath(kind: FileReference['kind'], name: string): string {
  if (name.startsWith('/')) return cleaned(name);
  return cleaned(kind === 'secret' ? `${SECRETS}/${name}` : `/${name}`);
}

function cleaned(path: string): string {
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') kept.pop();
    else if (part !== '' && part !== '.') kept.push(part);
  }
  return `/${kept.join('/')}`;
}
