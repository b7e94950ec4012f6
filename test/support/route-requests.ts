import fc from 'fast-check';
import { CLIENT_ROLES } from '../../proto/client-certificate.js';
import { nodeSpecShape } from '../../proto/engine/node-spec-shape.js';
import { configSpecShape, secretSpecShape } from '../../proto/engine/payload-spec-shape.js';
import { serviceSpecShape } from '../../proto/engine/service-spec-shape.js';
import { swarmInitShape, swarmJoinShape } from '../../proto/engine/swarm-request.js';
import { swarmSpecShape } from '../../proto/engine/swarm-spec-shape.js';
import { likeDocument, likeService } from './arbitrary-documents.js';

/** What a client may send to one route. */
export interface RouteRequests {
  /** Values of the query, by names that the route knows. */
  readonly query?: Readonly<Record<string, fc.Arbitrary<string>>>;
  /** Of a route that reads one. */
  readonly body?: fc.Arbitrary<unknown>;
  /** What an object of the path's id is called in refusals. */
  readonly noun?: 'service' | 'node' | 'task' | 'secret' | 'config' | 'client certificate';
  /** The route changes what a daemon is: asked on daemons of its own. */
  readonly membership?: true;
  /** The route asks the Engine and no cluster. */
  readonly local?: true;
}

const flag = fc.constantFrom('', '0', '1', 'true', 'False', 'maybe', '__proto__');
/** Versions of objects are small numbers here: some fit. */
const version = fc.oneof(
  fc.constantFrom('', '-1', '1e3', '0x10', '99999999999999999999', '18446744073709551615', 'NaN', '1\0'),
  fc.nat(60).map(String),
);
const word = fc.oneof(fc.constantFrom('', 'a=b', 'running', 'worker', 'replicated', 'key', 'web'), fc.string());
const filters = fc.oneof(
  { weight: 1, arbitrary: fc.oneof(fc.string(), fc.json()) },
  {
    weight: 4,
    arbitrary: fc
      .dictionary(
        fc.constantFrom(
          ...['id', 'name', 'names', 'label', 'node.label', 'mode', 'role', 'membership', 'node', 'service', 'runtime'],
          ...['desired-state', '_up-to-date', 'x', '__proto__'],
        ),
        fc.oneof(fc.array(word, { maxLength: 3 }), fc.dictionary(word, fc.boolean(), { maxKeys: 3 }), fc.jsonValue()),
        { maxKeys: 3 },
      )
      .map((one) => JSON.stringify(one)),
  },
);
const duration = fc.constantFrom('', '10m', '1ns', '-1s', '9999999999h', 'soon', '5');

/** `follow` has no end, and tests of its own. */
const time = fc.constantFrom('', '0', '-1', '1.5', '1767225600.000000001', '1e9', 'now', '9'.repeat(30));
const LOGS = {
  ...{ stdout: flag, stderr: flag, timestamps: flag, details: flag, since: time, until: time },
  tail: fc.constantFrom('', 'all', '0', '3', '-3', '1e3', 'some', '9'.repeat(30)),
};

/** A wish for a hundred thousand tasks is fine for a manager, and much for a test. */
const FEW = 3;
function tame(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tame);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const isWish = /^(?:replicas|maxconcurrent|totalcompletions)$/i.test(key);
      return [key, isWish && typeof inner === 'number' && inner > FEW && inner <= 100_000 ? FEW : tame(inner)];
    }),
  );
}

const anything = fc.jsonValue({ maxDepth: 4 });
const documentOf = (shape: Parameters<typeof likeDocument>[0]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 4, arbitrary: likeDocument(shape) }, { weight: 1, arbitrary: anything }).map(tame);
const serviceBody = fc.oneof(documentOf(serviceSpecShape), likeService.map(tame));

const base64 = fc.oneof(fc.constantFrom('', 'AAAA', '!', 'e3t9fQ=='), fc.base64String());
const payload = (shape: Parameters<typeof likeDocument>[0]): fc.Arbitrary<unknown> =>
  fc.oneof(
    documentOf(shape),
    fc.record({
      Name: fc.oneof(fc.constantFrom('web', 'key', 'a b', ''), fc.stringMatching(/^[a-z]{1,9}$/)),
      Data: base64,
    }),
  );
const rotation = fc.oneof(anything, fc.record({ Data: base64 }));

const clientCertificate = fc.oneof(
  anything,
  fc.record({
    name: word,
    role: fc.constantFrom(...CLIENT_ROLES, 'root', '', '__proto__'),
    csr: fc.oneof(
      fc.constantFrom('', '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n'),
      word,
    ),
    expiry: fc.oneof(fc.integer(), fc.constantFrom(0, -1, 1e300), fc.string()),
  }),
);

const LIST = { query: { filters } };

const payloadRoutes = (
  nouns: 'secrets' | 'configs',
  noun: 'secret' | 'config',
  shape: Parameters<typeof likeDocument>[0],
): Readonly<Record<string, RouteRequests>> => ({
  [`GET /${nouns}`]: LIST,
  [`POST /${nouns}/create`]: { body: payload(shape) },
  [`GET /${nouns}/:id`]: { noun },
  [`POST /${nouns}/:id/update`]: { noun, query: { version }, body: payload(shape) },
  [`DELETE /${nouns}/:id`]: { noun },
  [`GET /bale/${nouns}/:id/versions`]: { noun },
  [`POST /bale/${nouns}/:id/rotate`]: { noun, body: rotation },
});

/** By route, as `ClusterApi.routes` names them: each one that there is. */
export const ROUTE_REQUESTS: Readonly<Record<string, RouteRequests>> = {
  'GET /info': { local: true },
  'GET /version': { local: true },

  'GET /swarm': {},
  'POST /swarm/init': { membership: true, body: documentOf(swarmInitShape) },
  'POST /swarm/join': { membership: true, body: documentOf(swarmJoinShape) },
  'POST /swarm/leave': { membership: true, query: { force: flag } },
  'POST /swarm/update': {
    query: { version, rotateWorkerToken: flag, rotateManagerToken: flag, rotateManagerUnlockKey: flag },
    body: documentOf(swarmSpecShape),
  },
  'GET /swarm/unlockkey': {},
  'POST /swarm/unlock': {},

  'GET /nodes': LIST,
  'GET /nodes/:id': { noun: 'node' },
  'DELETE /nodes/:id': { noun: 'node', query: { force: flag } },
  'POST /nodes/:id/update': { noun: 'node', query: { version }, body: documentOf(nodeSpecShape) },
  'POST /bale/nodes/:id/drain': {
    noun: 'node',
    query: { version, deadline: duration, 'max-parallel': fc.oneof(version, fc.string()) },
  },

  'GET /services': { query: { filters, status: flag } },
  'POST /services/create': { query: { queryRegistry: flag }, body: serviceBody },
  'GET /services/:id': { noun: 'service', query: { insertDefaults: flag } },
  'POST /services/:id/update': {
    noun: 'service',
    query: {
      version,
      rollback: fc.constantFrom('', 'previous', 'next'),
      registryAuthFrom: fc.constantFrom('', 'spec', 'previous-spec', 'heaven'),
      queryRegistry: flag,
    },
    body: serviceBody,
  },
  'DELETE /services/:id': { noun: 'service' },
  'GET /services/:id/logs': { noun: 'service', query: LOGS },
  'GET /bale/services/:id/history': { noun: 'service' },
  'POST /bale/services/:id/rollback': { noun: 'service', query: { to: version } },
  'POST /bale/services/:id/rebalance': { noun: 'service' },
  'GET /bale/services/:id/schedule': { noun: 'service' },
  'POST /bale/services/:id/run': { noun: 'service' },

  'GET /bale/client-certificates': {},
  'POST /bale/client-certificates/create': { body: clientCertificate },
  'DELETE /bale/client-certificates/:id': { noun: 'client certificate' },

  'GET /bale/audit': {
    query: { since: time, until: time, object: word, who: word, limit: fc.oneof(version, fc.string()) },
  },

  'GET /tasks': LIST,
  'GET /tasks/:id': { noun: 'task' },
  'GET /tasks/:id/logs': { noun: 'task', query: LOGS },

  ...payloadRoutes('secrets', 'secret', secretSpecShape),
  ...payloadRoutes('configs', 'config', configSpecShape),
};
