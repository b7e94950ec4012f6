import { notImplemented } from './refusals.js';

/**
 * Refuses registry credentials, which agents cannot use yet: a private image would fail on every
 * node with the registry's words. A document without any of the Engine's fields for credentials is
 * none: some clients always send an empty one, and dockerode sends the service's spec in its place.
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
    return Object.entries(parsed).some(([name, value]) => CREDENTIALS.has(name.toLowerCase()) && value !== '');
  } catch {
    // Not readable as credentials, so not usable as such either: the Engine ignores it, too.
    return false;
  }
}

/** The fields of the Engine's AuthConfig that give access; `serveraddress` and `email` do not. */
const CREDENTIALS: ReadonlySet<string> = new Set(['username', 'password', 'auth', 'identitytoken', 'registrytoken']);
