import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHostPort } from '../core/address.js';
import { BaleError, errorCode, errorMessage } from '../core/errors.js';

/** What a client shows to a daemon on another machine, and what it believes; all PEM. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export type DaemonHost =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** docker's flags for the files. */
export interface TlsFlags {
  readonly tlscacert?: string;
  readonly tlscert?: string;
  readonly tlskey?: string;
}

type Env = Readonly<Record<string, string | undefined>>;

const DEFAULT_PORT = 2376;

/**
 * Which daemon is meant: the flag, BALE_HOST, or a `tcp://` of DOCKER_HOST. A unix socket of DOCKER_HOST
 * is that of an Engine as often as not, and is left to docker.
 */
export function chooseHost(flag: string | undefined, env: Env, fallback: string): string {
  const docker = env.DOCKER_HOST ?? '';
  return flag ?? nonEmpty(env.BALE_HOST) ?? (docker.startsWith('tcp://') ? docker : fallback);
}

/** Reads `unix:///PATH` or `tcp://HOST:PORT`. Throws BALE_HOST_INVALID. */
export function parseHost(text: string, example: string): DaemonHost {
  const path = /^unix:\/\/(\/.+)$/.exec(text)?.[1];
  if (path !== undefined) return { kind: 'socket', path };
  const address = /^tcp:\/\/([^/?#@]+)\/?$/.exec(text)?.[1];
  if (address !== undefined) return { kind: 'tcp', ...parseHostPort(address, { port: DEFAULT_PORT }, '--host') };
  throw new BaleError(
    `--host: "${text}" is not supported; name the daemon's socket, for example ${example}, or tcp://HOST:${DEFAULT_PORT}`,
    { kind: 'invalid', code: 'BALE_HOST_INVALID' },
  );
}

/** Reads the client's files, from where docker has them. Throws BALE_CLIENT_FILE_UNREADABLE naming the file. */
export function readTlsFiles(flags: TlsFlags, env: Env): TlsFiles {
  const directory = nonEmpty(env.BALE_CERT_PATH) ?? nonEmpty(env.DOCKER_CERT_PATH) ?? join(env.HOME ?? '/', '.docker');
  return {
    ca: read(flags.tlscacert ?? join(directory, 'ca.pem')),
    cert: read(flags.tlscert ?? join(directory, 'cert.pem')),
    key: read(flags.tlskey ?? join(directory, 'key.pem')),
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const cause = errorCode(error) === 'ENOENT' ? 'there is no such file' : errorMessage(error);
    throw new BaleError(
      `${path} cannot be read: ${cause}; a daemon on another machine takes a client certificate: name the directory ` +
        'of ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH, or have them made on a manager by "bale client-cert create"',
      { kind: 'failed-precondition', code: 'BALE_CLIENT_FILE_UNREADABLE' },
    );
  }
}

/** Why a TLS connection did not come about, in words; undefined when it was something else. */
export function explainTls(error: unknown, host: string): string | undefined {
  switch (errorCode(error)) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'CERT_SIGNATURE_FAILURE':
      return `the daemon at ${host} is not one that ca.pem vouches for: it is of another cluster, or not bale`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the daemon at ${host} has a certificate for other names (${errorMessage(error)}); start it with --tls-san`;
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return `the certificate of the daemon at ${host} is out of date: compare the clocks of the two machines`;
    case 'EPROTO':
      return `the daemon at ${host} did not agree to TLS: ${errorMessage(error)}`;
    case undefined:
    default:
      return undefined;
  }
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);
