import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readTextIfPresent, syncDirectory, writeFileAtomic } from '../core/atomic-file.js';
import { BaleError } from '../core/errors.js';

/** What a member must know to start again. Its presence on disk *is* the membership. */
export interface MembershipRecord {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly role: 'worker' | 'manager';
  /** The address the other nodes are told, without port. */
  readonly advertiseHost: string;
  /** Of a manager: the port of it that other nodes are told. */
  readonly advertisePort: number;
  /** Of a manager: where the request said to listen, host:port; absent: as the daemon's options say. */
  readonly listenAddr?: string;
  /** host:port of the managers known last. */
  readonly managers: readonly string[];
}

/** The record, or undefined on a node that is no member. Throws BALE_MEMBERSHIP_UNREADABLE naming the file. */
export async function readMembership(file: string): Promise<MembershipRecord | undefined> {
  const text = await readTextIfPresent(file);
  if (text === undefined) return undefined;
  const parsed = parse(text);
  if (parsed === undefined) {
    throw new BaleError(
      `${file} is not a membership record; restore it from a backup, or remove the data directory and join again`,
      { kind: 'failed-precondition', code: 'BALE_MEMBERSHIP_UNREADABLE' },
    );
  }
  return parsed;
}

/** From here on, also after a crash, the node is a member. */
export const writeMembership = (file: string, record: MembershipRecord): Promise<void> =>
  writeFileAtomic(file, `${JSON.stringify(record, undefined, 2)}\n`, 0o600);

/** From here on, also after a crash, the node is none. */
export async function removeMembership(file: string): Promise<void> {
  await rm(file, { force: true });
  await syncDirectory(dirname(file));
}

function parse(text: string): MembershipRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is MembershipRecord {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  const listenAddr = fields.get('listenAddr');
  const managers = fields.get('managers');
  return (
    ['nodeId', 'clusterId', 'advertiseHost'].every((name) => isFilled(fields.get(name))) &&
    (fields.get('role') === 'worker' || fields.get('role') === 'manager') &&
    Number.isInteger(fields.get('advertisePort')) &&
    (listenAddr === undefined || isFilled(listenAddr)) &&
    Array.isArray(managers) &&
    managers.every(isFilled)
  );
}

const isFilled = (value: unknown): value is string => typeof value === 'string' && value !== '';
