import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideAccess, ROLE_TABLE } from '../../../daemon/role-table.js';
import type { ClientRole } from '../../../proto/client-certificate.js';
import { apiRoutes } from '../../support/api-routes.js';

const may = (role: ClientRole, request: string): boolean => {
  const [method = '', path = ''] = request.split(' ');
  return decideAccess(role, method, path).kind === 'allow';
};

const table = ROLE_TABLE.map(({ method, path, role }) => [`${method} ${path}`, role] as const);

describe('the table of roles', () => {
  test('has a row for each route of the API, and none for a route that is not there', async () => {
    const routes = await apiRoutes();
    const rows = new Set<string>(table.map(([request]) => request));
    expect(routes.filter((route) => !rows.has(route))).toEqual([]);
    const ours = /^[A-Z]+ \/(swarm|nodes|services|tasks|secrets|configs|bale)\b/;
    expect([...rows].filter((row) => ours.test(row) && !routes.includes(row))).toEqual([]);
  });

  test('has each request once', () => {
    expect(new Set(table.map(([request]) => request)).size).toBe(table.length);
  });

  test.each(table)('%s is for %s and above, and for nobody below', (request, least) => {
    const concrete = request.replaceAll(':id', 'x1').replace('*', 'library/web:1');
    const order: readonly ClientRole[] = ['viewer', 'operator', 'admin'];
    const able = order.filter((role) => may(role, concrete));
    expect(able).toEqual(order.slice(order.indexOf(least)));
  });

  test('a viewer has nothing but GET and HEAD', () => {
    const viewers = ROLE_TABLE.filter(({ role }) => role === 'viewer').map(({ method }) => method);
    expect(new Set(viewers)).toEqual(new Set(['GET', 'HEAD']));
  });

  test('words are no ids', () => {
    expect(may('operator', 'GET /swarm/unlockkey')).toBe(false);
    expect(may('viewer', 'GET /services/create')).toBe(true);
    expect(may('viewer', 'POST /services/create')).toBe(false);
  });
});

describe('what has no row is for admins alone', () => {
  test.each([
    'POST /containers/create',
    'POST /containers/x/start',
    'POST /containers/x/update',
    'DELETE /containers/x',
    'GET /containers/x/export',
    'GET /containers/x/attach/ws',
    'POST /build',
    'POST /images/create',
    'POST /images/load',
    'DELETE /images/x',
    'POST /networks/create',
    'POST /volumes/create',
    'POST /plugins/pull',
    'POST /session',
    'POST /grpc',
    'POST /auth',
    'POST /commit',
    'PATCH /services/x',
    'GET /',
    'GET /debug/pprof',
  ])('%s', (request) => {
    expect(['viewer', 'operator', 'admin'].filter((role) => may(role as ClientRole, request))).toEqual(['admin']);
  });

  test.each([
    '/services/../containers/x/export',
    '/containers//json',
    '//services',
    '/services/',
    '/services/x#/update',
    '/services/x;a',
    '/services/x\\y',
    '/services/%2e%2e',
    '/services/a%2Fb',
    '/services/%00',
    '/services/%zz',
    '/v1.41/services',
    '/%73ervices',
    '/SERVICES',
  ])('a path that is not spelled plainly: GET %s', (path) => {
    expect(may('viewer', `GET ${path}`)).toBe(false);
    expect(may('admin', `GET ${path}`)).toBe(true);
  });

  test('whatever the method and path, a higher role may do what a lower may', () => {
    const words = [...new Set(ROLE_TABLE.flatMap(({ path }) => path.split('/'))), '..', '%2f', 'x', ''];
    const path = fc.array(fc.constantFrom(...words), { maxLength: 6 }).map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'), path, (method, at) => {
        const [viewer, operator, admin] = (['viewer', 'operator', 'admin'] as const).map((role) =>
          may(role, `${method} ${at}`),
        );
        return admin === true && (viewer !== true || operator === true);
      }),
    );
  });
});

test('a refusal names the role, what it may not, and who may', () => {
  expect(decideAccess('viewer', 'POST', '/services/create')).toMatchObject({
    kind: 'refuse',
    error: {
      kind: 'forbidden',
      code: 'BALE_CLIENT_ROLE_FORBIDDEN',
      message:
        'a client certificate of role viewer may not do this: POST /services/create; it takes the role operator or ' +
        "admin, or the unix socket on the manager's machine",
    },
  });
});
