import { DOCKER_HUB } from '../engine/image-name.js';
import { parseAuth, type AuthConfig } from './auth-config.js';

/** Where docker's config says that the credentials of a registry are. */
export interface CredentialSources {
  /** The name after `docker-credential-`, and what to ask it for. */
  readonly helper?: { readonly name: string; readonly server: string };
  /** Written into the file itself; used when there is no helper, or it knows nothing. */
  readonly inline?: AuthConfig;
}

/** Docker Hub's name in config files and for helpers. */
const HUB_SERVER = 'https://index.docker.io/v1/';

/**
 * Reads `~/.docker/config.json` for one registry (`host[:port]`), as docker does: a helper of this
 * registry, else the store of all, else `auths`. Throws a SyntaxError when the text is no JSON.
 */
export function credentialSources(config: string, registry: string): CredentialSources {
  const document: unknown = JSON.parse(config);
  const server = registry === DOCKER_HUB ? HUB_SERVER : registry;
  const name = own(own(document, 'credHelpers'), server) ?? own(document, 'credsStore');
  const inline = inlineAuth(own(document, 'auths'), server);
  return {
    // It becomes part of a program's name: nothing that could lead elsewhere.
    ...(typeof name === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) ? { helper: { name, server } } : {}),
    ...(inline === undefined ? {} : { inline }),
  };
}

/** Keys are hosts, or URLs of old clients. */
function inlineAuth(auths: unknown, server: string): AuthConfig | undefined {
  if (typeof auths !== 'object' || auths === null) return undefined;
  const key = Object.hasOwn(auths, server) ? server : Object.keys(auths).find((one) => hostOf(one) === hostOf(server));
  return key === undefined ? undefined : parseAuth(JSON.stringify(own(auths, key) ?? null));
}

const hostOf = (server: string): string => server.replace(/^https?:\/\//, '').split('/')[0] ?? '';

function own(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return Reflect.get(value, key);
}
