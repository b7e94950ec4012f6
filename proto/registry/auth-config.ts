/** Credentials for one registry: the fields of the Engine's AuthConfig that give access. Never logged. */
export interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
  readonly serveraddress?: string;
}

/**
 * Reads `X-Registry-Auth`: base64url of an AuthConfig. Undefined when it gives no access: some clients
 * always send an empty one, and dockerode sends the service's spec in its place. What is not readable
 * counts as none, as for the Engine.
 */
export function decodeAuthHeader(header: string | undefined): AuthConfig | undefined {
  if (header === undefined || header === '') return undefined;
  return parseAuth(Buffer.from(header, 'base64url').toString('utf8'));
}

/** The header's text. With padding: the Engine reads no other. */
export const encodeAuthHeader = (auth: AuthConfig): string =>
  Buffer.from(JSON.stringify(auth)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');

/** An AuthConfig out of its JSON; undefined when it is none, or gives no access. */
export function parseAuth(json: string): AuthConfig | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const entries: readonly [string, unknown][] = Object.entries(parsed);
  const fields = new Map(entries.map(([name, value]) => [name.toLowerCase(), value] as const));
  const text = (name: string): string => {
    const value = fields.get(name);
    return typeof value === 'string' ? value : '';
  };
  const login = splitAuth(text('auth')) ?? { username: text('username'), password: text('password') };
  return authConfig({
    ...login,
    identitytoken: text('identitytoken'),
    registrytoken: text('registrytoken'),
    serveraddress: text('serveraddress'),
  });
}

/** Without what is empty; undefined when nothing that gives access is left. */
export function authConfig(fields: Required<AuthConfig>): AuthConfig | undefined {
  const { username, password, identitytoken, registrytoken } = fields;
  if (username === '' && password === '' && identitytoken === '' && registrytoken === '') return undefined;
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}

/** `auth` of docker's config: base64 of `user:password`. */
export function splitAuth(auth: string): { readonly username: string; readonly password: string } | undefined {
  if (auth === '') return undefined;
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) return undefined;
  // docker's own files end in zero bytes at times.
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') };
}
