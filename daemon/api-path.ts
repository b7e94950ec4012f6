import { BaleError } from '../core/errors.js';

/** A request's URL as the Engine API reads it: an optional version prefix, a path, a query. */
export interface ApiPath {
  /** `1.41` of `/v1.41/info`; absent without a prefix. */
  readonly version?: string;
  /** Without the prefix. */
  readonly path: string;
  /** With its question mark; empty without a query. */
  readonly query: string;
}

export function parseApiPath(url: string): ApiPath {
  const mark = url.indexOf('?');
  const whole = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark);
  const match = /^\/v(?<version>[0-9.]+)(?<path>\/.*)$/s.exec(whole);
  if (match?.groups === undefined) return { path: whole, query };
  return { version: match.groups.version ?? '', path: match.groups.path ?? '', query };
}

/** Who answers a request. */
export type Owner =
  | 'ping'
  /** The cluster API (and what we add to the Engine's documents). */
  | 'api'
  /** Ours or the Engine's: the body tells. */
  | 'network-create'
  /** The Engine's, and on a manager the cluster's beside them. */
  | 'events'
  | 'engine';

const CLUSTER_NOUNS = new Set(['swarm', 'nodes', 'services', 'tasks', 'secrets', 'configs']);

/** Decides by method and path alone, so that the bodies of the Engine's requests are never read here. */
export function ownerOf(method: string, path: string): Owner {
  if (path === '/_ping') return method === 'GET' || method === 'HEAD' ? 'ping' : 'engine';
  if (path === '/version' || path === '/info') return method === 'GET' ? 'api' : 'engine';
  if (path === '/events') return method === 'GET' ? 'events' : 'engine';
  if (path === '/networks/create' && method === 'POST') return 'network-create';
  return CLUSTER_NOUNS.has(path.split('/')[1] ?? '') || path.startsWith('/bale/') ? 'api' : 'engine';
}

/** Refuses a version outside of what the Engine speaks, with the Engine's words. */
export function refuseVersion(version: string, served: { readonly min: string; readonly max: string }): void {
  if (compareVersions(version, served.max) > 0) {
    throw invalid(`client version ${version} is too new. Maximum supported API version is ${served.max}`);
  }
  if (compareVersions(version, served.min) < 0) {
    throw invalid(
      `client version ${version} is too old. Minimum supported API version is ${served.min}, ` +
        'please upgrade your client to a newer version',
    );
  }
}

const invalid = (message: string): BaleError =>
  new BaleError(message, { kind: 'invalid', code: 'BALE_API_VERSION_UNSUPPORTED' });

/** Negative, zero or positive, number by number; missing numbers are zero. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.'), b.split('.')];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (Number(left[index] ?? '0') || 0) - (Number(right[index] ?? '0') || 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
