import { BaleError } from '../core/errors.js';
import { CLIENT_ROLES, type ClientRole } from '../proto/client-certificate.js';

/** What a row reaches: anything that its path names, or only containers of the cluster's tasks. */
export type AccessScope = 'any' | 'task-containers';

export interface AccessRow {
  readonly method: string;
  /** `:id` is one segment of a path, `*` one or more. */
  readonly path: string;
  /** The least role that may. */
  readonly role: ClientRole;
  readonly scope: AccessScope;
}

const rows = (role: ClientRole, scope: AccessScope, ...requests: readonly string[]): readonly AccessRow[] =>
  requests.map((request) => {
    const [method = '', path = ''] = request.split(' ');
    return { method, path, role, scope };
  });

/**
 * Who may send which request from another machine. A request without a row is for admins alone, and so
 * is every path that is not spelled plainly.
 */
export const ROLE_TABLE: readonly AccessRow[] = [
  // Nothing of these changes anything, and no answer has a secret in it: join tokens are left out for all but admins.
  ...rows('viewer', 'any', 'GET /_ping', 'HEAD /_ping', 'GET /version', 'GET /info', 'GET /events', 'GET /system/df'),
  ...rows('viewer', 'any', 'GET /swarm', 'GET /nodes', 'GET /nodes/:id'),
  ...rows('viewer', 'any', 'GET /services', 'GET /services/:id', 'GET /services/:id/logs'),
  ...rows('viewer', 'any', 'GET /bale/services/:id/history', 'GET /bale/services/:id/schedule'),
  ...rows('viewer', 'any', 'GET /tasks', 'GET /tasks/:id', 'GET /tasks/:id/logs'),
  ...rows('viewer', 'any', 'GET /secrets', 'GET /secrets/:id', 'GET /bale/secrets/:id/versions'),
  ...rows('viewer', 'any', 'GET /configs', 'GET /configs/:id', 'GET /bale/configs/:id/versions'),
  ...rows('viewer', 'any', 'GET /containers/json', 'GET /images/json', 'GET /images/*/json', 'GET /images/*/history'),
  ...rows('viewer', 'any', 'GET /networks', 'GET /networks/:id', 'GET /volumes', 'GET /volumes/:id'),
  ...rows('viewer', 'task-containers', 'GET /containers/:id/json', 'GET /containers/:id/logs'),
  ...rows('viewer', 'task-containers', 'GET /containers/:id/top', 'GET /containers/:id/stats'),

  ...rows('operator', 'any', 'POST /services/create', 'POST /services/:id/update', 'DELETE /services/:id'),
  ...rows('operator', 'any', 'POST /bale/services/:id/rollback', 'POST /bale/services/:id/rebalance'),
  ...rows('operator', 'any', 'POST /bale/services/:id/run'),
  ...rows('operator', 'any', 'POST /nodes/:id/update', 'POST /bale/nodes/:id/drain'),
  ...rows('operator', 'any', 'POST /secrets/create', 'POST /secrets/:id/update', 'DELETE /secrets/:id'),
  ...rows('operator', 'any', 'POST /configs/create', 'POST /configs/:id/update', 'DELETE /configs/:id'),
  ...rows('operator', 'any', 'POST /bale/secrets/:id/rotate', 'POST /bale/configs/:id/rotate'),
  // Clients look the digest of an image up before they create a service.
  ...rows('operator', 'any', 'GET /distribution/*/json'),
  ...rows('operator', 'task-containers', 'POST /containers/:id/exec', 'POST /containers/:id/attach'),
  ...rows('operator', 'task-containers', 'POST /containers/:id/resize', 'POST /containers/:id/wait'),
  ...rows('operator', 'task-containers', 'POST /containers/:id/kill', 'GET /containers/:id/archive'),
  ...rows('operator', 'task-containers', 'HEAD /containers/:id/archive', 'PUT /containers/:id/archive'),
  ...rows('operator', 'task-containers', 'POST /exec/:id/start', 'POST /exec/:id/resize', 'GET /exec/:id/json'),

  // What makes a cluster, lets machines and people in, or tells how.
  ...rows('admin', 'any', 'POST /swarm/init', 'POST /swarm/join', 'POST /swarm/leave', 'POST /swarm/update'),
  ...rows('admin', 'any', 'GET /swarm/unlockkey', 'POST /swarm/unlock', 'DELETE /nodes/:id'),
  ...rows('admin', 'any', 'GET /bale/client-certificates', 'POST /bale/client-certificates/create'),
  ...rows('admin', 'any', 'DELETE /bale/client-certificates/:id', 'GET /bale/audit'),
];

export type AccessDecision =
  | { readonly kind: 'allow'; readonly scope: AccessScope; readonly reason: string }
  | { readonly kind: 'refuse'; readonly error: BaleError };

/** Whether a role may send a request. `path` is without version and query, as it stands in the URL. */
export function decideAccess(role: ClientRole, method: string, path: string): AccessDecision {
  if (role === 'admin') return { kind: 'allow', scope: 'any', reason: 'admins may do everything' };
  const row = isPlain(path) ? rowOf(method, path) : undefined;
  const least = row?.role ?? 'admin';
  if (row !== undefined && reaches(role, least)) {
    return { kind: 'allow', scope: row.scope, reason: `${method} ${row.path} is for ${least} and above` };
  }
  return { kind: 'refuse', error: forbidden(role, `${method} ${path.slice(0, SHOWN)}`, least) };
}

/** The refusal of `what`, which the role `least` may do and those above it. */
export function forbidden(role: ClientRole, what: string, least: ClientRole): BaleError {
  const able = CLIENT_ROLES.slice(CLIENT_ROLES.indexOf(least)).join(' or ');
  return new BaleError(
    `a client certificate of role ${role} may not do this: ${what}; it takes the role ${able}, ` +
      "or the unix socket on the manager's machine",
    { kind: 'forbidden', code: 'BALE_CLIENT_ROLE_FORBIDDEN' },
  );
}

/** Characters of a path that are repeated in a refusal. */
const SHOWN = 100;

const reaches = (role: ClientRole, least: ClientRole): boolean =>
  CLIENT_ROLES.indexOf(role) >= CLIENT_ROLES.indexOf(least);

/**
 * Whether every reader of a path sees the same segments in it: nothing that one router takes for the
 * end of a path, cleans away or decodes to a slash, and another does not.
 */
const isPlain = (path: string): boolean =>
  /^(\/[A-Za-z0-9._~@:+,=!$&'()*%-]+)+$/.test(path) &&
  !/\/\.{1,2}(\/|$)/.test(path) &&
  !/%(?![0-9A-Fa-f]{2})|%(00|2[EeFf]|5[Cc])/.test(path);

const PATTERNS = ROLE_TABLE.map((row) => ({ row, segments: row.path.split('/') }));

/** The row of a request. Where a word and `:id` both fit, the word does: `create` is no id. */
function rowOf(method: string, path: string): AccessRow | undefined {
  const segments = path.split('/');
  const fitting = PATTERNS.filter(({ row, segments: pattern }) => row.method === method && fits(pattern, segments));
  return (fitting.find(({ row }) => !row.path.includes(':id')) ?? fitting[0])?.row;
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) {
    return pattern.length === segments.length && pattern.every((word, at) => word === ':id' || word === segments[at]);
  }
  if (segments.length < pattern.length) return false;
  const tail = pattern.slice(star + 1);
  return (
    pattern.slice(0, star).every((word, at) => word === segments[at]) &&
    tail.every((word, at) => word === segments[segments.length - tail.length + at])
  );
}
