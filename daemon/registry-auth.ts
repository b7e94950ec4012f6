import { notImplemented } from './refusals.js';

/**
 * Refuses registry credentials, which agents cannot use yet: a private image would fail on every
 * node with the registry's words. An empty document, which some clients always send, is none.
 */
export function refuseRegistryAuth(header: string | readonly string[] | undefined): void {
  const text = typeof header === 'string' ? header : header?.[0];
  if (text === undefined || text === '') return;
  if (carriesCredentials(text)) throw notImplemented('registry credentials (X-Registry-Auth) are');
}

function carriesCredentials(encoded: string): boolean {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null) return false;
    return Object.entries(parsed).some(([name, value]) => !ADDRESSES.has(name.toLowerCase()) && value !== '');
  } catch {
    // Not readable as credentials, so not usable as such either: the Engine ignores it, too.
    return false;
  }
}

/** Fields that name a registry or person without giving access to it. */
const ADDRESSES: ReadonlySet<string> = new Set(['serveraddress', 'email']);
