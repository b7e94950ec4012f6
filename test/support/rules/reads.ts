import { ACCEPTED, CONFIG_NAMES, MALFORMED_FILTERS } from './reasons.js';
import type { Outcome } from './rule.js';

/** What a read finds: the names of objects in a list (of tasks: of their services), how many, or one object. */
export type Found = { readonly names: readonly string[] } | { readonly count: number } | { readonly one: string };

/** A read that an Engine answers in a known way. Placeholders as in `Rule`; `{nouns/name~}` is the beginning of an id. */
export interface Read {
  readonly request: string;
  readonly engine: Found | Outcome;
  /** What bale answers where that is something else; `because` is a sentence of docs/compatibility.md. */
  readonly bale?: (Found | Outcome) & { readonly because: string };
}

const list = (path: string, filters: unknown, engine: Read['engine'], bale?: Read['bale']): Read => ({
  request: `GET ${path}?filters=${typeof filters === 'string' ? filters : JSON.stringify(filters)}`,
  engine,
  ...(bale === undefined ? {} : { bale }),
});

const named = (...names: readonly string[]): Found => ({ names });
const refused = (message: string | RegExp): Outcome => ({ status: 400, message });

const SERVICES: readonly Read[] = [
  list('/services', { name: ['we'] }, named('web')),
  list('/services', { name: { web: true } }, named('web')),
  list('/services', { name: { web: true, hosty: true } }, named('hosty', 'web')),
  list('/services', { name: ['web', 'hosty'] }, named('hosty', 'web')),
  list('/services', { name: ['eb'] }, named()),
  list('/services', { name: ['WEB'] }, named()),
  list('/services', { id: ['{services/web}'] }, named('web')),
  list('/services', { id: ['{services/web~}'] }, named('web')),
  list('/services', { id: ['web'] }, named()),
  list('/services', { id: ['{twins/prefix}'] }, { count: 2 }),
  list('/services', { label: ['tier'] }, named('busy', 'past')),
  list('/services', { label: ['tier=front'] }, named('busy')),
  list('/services', { label: ['tier=back'] }, named('past')),
  list('/services', { label: ['tier=fr'] }, named()),
  list('/services', { label: ['tier', 'zone=a'] }, named('busy')),
  list('/services', { label: ['tier', 'zone=b'] }, named()),
  list('/services', { label: ['inside'] }, named()),
  list('/services', { mode: ['replicated'], name: ['web', 'busy'] }, named('busy', 'web')),
  list('/services', { mode: ['global'] }, named()),
  list('/services', { mode: ['nonsense'] }, named()),
  list('/services', { runtime: ['container'], name: ['web'] }, named('web')),
  list('/services', { runtime: ['plugin'] }, named()),
  list('/services', { name: ['web'], label: ['tier'] }, named()),
  list('/services', { name: [], label: [], id: ['{services/web}'] }, named('web')),
  { request: 'GET /services/web', engine: { one: 'web' } },
  { request: 'GET /services/{services/web}', engine: { one: 'web' } },
  { request: 'GET /services/{services/web~}', engine: { one: 'web' } },
  { request: 'GET /services/{services/web~}?insertDefaults=1', engine: { one: 'web' } },
];

const NODES: readonly Read[] = [
  list('/nodes', { role: ['manager'] }, { count: 1 }),
  list('/nodes', { role: ['MANAGER'] }, { count: 1 }),
  list('/nodes', { role: ['worker'] }, { count: 0 }),
  list('/nodes', { role: ['worker', 'manager'] }, { count: 1 }),
  list('/nodes', { role: [''] }, { count: 1 }),
  list('/nodes', { membership: ['accepted'] }, { count: 0 }, { count: 1, because: ACCEPTED }),
  list('/nodes', { membership: ['pending'] }, { count: 1 }, { count: 0, because: ACCEPTED }),
  list('/nodes', { id: ['{nodes/self~}'] }, { count: 1 }),
  list('/nodes', { name: ['{nodes/hostname}'] }, { count: 1 }),
  list('/nodes', { name: ['nosuch'] }, { count: 0 }),
  list('/nodes', { 'node.label': ['rack'] }, { count: 1 }),
  list('/nodes', { 'node.label': ['rack=r1'] }, { count: 1 }),
  list('/nodes', { 'node.label': ['rack=r2'] }, { count: 0 }),
  list('/nodes', { label: ['rack'] }, { count: 0 }),
  { request: 'GET /nodes/{nodes/self}', engine: { one: '' } },
  { request: 'GET /nodes/{nodes/self~}', engine: { one: '' } },
  { request: 'GET /nodes/{nodes/hostname}', engine: { one: '' } },
  { request: 'GET /nodes/self', engine: { status: 404, message: 'node self not found' } },
];

const TASKS: readonly Read[] = [
  list('/tasks', { service: ['busy'] }, named('busy')),
  list('/tasks', { service: ['busy'], 'desired-state': ['running', 'shutdown'] }, named('busy')),
  list('/tasks', { service: ['{services/busy}'], 'desired-state': ['RUNNING', 'Shutdown'] }, named('busy')),
  list('/tasks', { service: { '{services/busy~}': true } }, named('busy')),
  list('/tasks', { service: ['busy', 'web'] }, named('busy')),
  list('/tasks', { service: ['web'] }, named()),
  list('/tasks', { service: ['busy'], 'desired-state': ['complete'] }, named()),
  list('/tasks', { service: ['busy'], 'desired-state': [''] }, named('busy')),
  list('/tasks', { name: ['busy'] }, named('busy')),
  list('/tasks', { name: ['busy.1'] }, named('busy')),
  list('/tasks', { name: ['busy.2'] }, named()),
  list('/tasks', { id: ['{tasks/busy}'] }, named('busy')),
  list('/tasks', { id: ['{tasks/busy~}'] }, named('busy')),
  list('/tasks', { label: ['tier=front'] }, named('busy')),
  list('/tasks', { label: ['tier=back'] }, named()),
  list('/tasks', { label: ['inside'] }, named()),
  list('/tasks', { runtime: ['container'], service: ['busy'] }, named('busy')),
  list('/tasks', { runtime: ['plugin'] }, named()),
  list('/tasks', { '_up-to-date': ['true'] }, named('busy')),
  list('/tasks', { node: ['{nodes/self}'], service: ['web'] }, named()),
  { request: 'GET /tasks/{tasks/busy}', engine: { one: '' } },
  { request: 'GET /tasks/{tasks/busy~}', engine: { one: '' } },
];

const payloads = (nouns: string, name: string): readonly Read[] => [
  list(`/${nouns}`, { name: [name.slice(0, 2)] }, named(name)),
  list(`/${nouns}`, { name: [name, 'nosuch'] }, named(name)),
  list(`/${nouns}`, { name: ['nosuch'] }, named()),
  list(`/${nouns}`, { id: [`{${nouns}/${name}~}`] }, named(name)),
  list(`/${nouns}`, { label: ['kind=test'] }, named(name)),
  list(`/${nouns}`, { label: ['kind=other'] }, named()),
  { request: `GET /${nouns}/${name}`, engine: { one: name } },
  { request: `GET /${nouns}/{${nouns}/${name}}`, engine: { one: name } },
  { request: `GET /${nouns}/{${nouns}/${name}~}`, engine: { one: name } },
  {
    request: `GET /${nouns}/${name.slice(0, 2)}`,
    engine: { status: 404, message: `${nouns.slice(0, -1)} ${name.slice(0, 2)} not found` },
  },
];

/** The Engine's words are those of Go. */
const MALFORMED = { ...refused(/^invalid filters: /), because: MALFORMED_FILTERS };

const FORMS: readonly Read[] = [
  list('/services', 'rubbish', refused(/^invalid/)),
  list('/services', '[]', refused(/^json: cannot unmarshal array/), MALFORMED),
  list('/services', '{"name":"web"}', refused(/^json: cannot unmarshal string/), MALFORMED),
  list('/services', '{"name":[1]}', refused(/^json: cannot unmarshal array/), MALFORMED),
  list('/services', '{"id":{"{services/web}":false}}', named('web')),
  { request: 'GET /services?filters=', engine: { status: 200, message: '' } },
  ...['/v1.41', '/v1.24', '/v1.30', '', '/v1.40'].map((version): Read => ({
    request: `GET ${version}/services/web`,
    engine: { one: 'web' },
  })),
  ...['/v1.42', '/v2.0', '/v1.410'].map((version): Read => ({
    request: `GET ${version}/services`,
    engine: refused(/^client version .* is too new\. Maximum supported API version is 1\.41$/),
  })),
  ...['/v', '/1.41', '/version/1.41', '/v1.41x'].map((version): Read => ({
    request: `GET ${version}/services`,
    engine: { status: 404, message: 'page not found' },
  })),
  { request: 'GET /services/', engine: { status: 404, message: 'page not found' } },
  { request: 'GET /v1.41/services/web/', engine: { status: 404, message: 'page not found' } },
  { request: 'HEAD /services', engine: { status: 404, message: '' } },
];

export const READS: readonly Read[] = [
  ...SERVICES,
  ...NODES,
  ...TASKS,
  ...payloads('secrets', 'key'),
  list('/secrets', { names: ['key'] }, named('key')),
  list('/secrets', { names: ['ke'] }, named()),
  ...payloads('configs', 'conf'),
  list('/configs', { names: ['conf'] }, refused("Invalid filter 'names'"), { ...named('conf'), because: CONFIG_NAMES }),
  ...FORMS,
];
