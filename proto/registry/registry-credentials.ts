import { homedir } from 'node:os';
import { join } from 'node:path';
import { readTextIfPresent } from '../../core/atomic-file.js';
import { BaleError, errorMessage } from '../../core/errors.js';
import type { AuthConfig } from './auth-config.js';
import { askCredentialHelper } from './credential-program.js';
import { credentialSources } from './docker-config.js';

/**
 * The credentials of this machine for a registry (`host[:port]`); undefined when it has none. Throws
 * BALE_CREDENTIAL_HELPER_FAILED or BALE_DOCKER_CONFIG_UNREADABLE.
 */
export type CredentialLookup = (registry: string, signal: AbortSignal) => Promise<AuthConfig | undefined>;

/**
 * Looks into docker's own configuration, `$DOCKER_CONFIG` or `~/.docker`, and asks the credential helper
 * that it names. Everything is read afresh each time: what `docker login` or a cloud's helper gives now
 * is what counts, and nothing of it is kept.
 */
export const dockerConfigCredentials =
  (env: Readonly<Record<string, string | undefined>> = process.env): CredentialLookup =>
  async (registry, signal) => {
    const file = join(env.DOCKER_CONFIG ?? join(homedir(), '.docker'), 'config.json');
    const sources = await readSources(file, registry);
    if (sources?.helper === undefined) return sources?.inline;
    return (await askCredentialHelper(sources.helper, signal)) ?? sources.inline;
  };

async function readSources(file: string, registry: string): Promise<ReturnType<typeof credentialSources> | undefined> {
  try {
    const text = await readTextIfPresent(file);
    return text === undefined ? undefined : credentialSources(text, registry);
  } catch (error) {
    // A parser's message repeats the text around the fault, which may be a password.
    const why = error instanceof SyntaxError ? 'it is no JSON' : errorMessage(error);
    throw new BaleError(`${file} cannot be read: ${why}`, { kind: 'invalid', code: 'BALE_DOCKER_CONFIG_UNREADABLE' });
  }
}
