import { describe, expect, test } from 'vitest';
import { compareVersions, ownerOf, parseApiPath, refuseVersion } from '../../../daemon/api-path.js';

describe('a path of the API', () => {
  test.each([
    ['/v1.41/info?a=1', { version: '1.41', path: '/info', query: '?a=1' }],
    ['/info', { path: '/info', query: '' }],
    ['/v1/containers/v1.41/json', { version: '1', path: '/containers/v1.41/json', query: '' }],
    ['/volumes/v1.41', { path: '/volumes/v1.41', query: '' }],
    ['/v1.41', { path: '/v1.41', query: '' }],
    ['/info?next=/v1.41/x?y', { path: '/info', query: '?next=/v1.41/x?y' }],
  ])('%s', (url, expected) => {
    expect(parseApiPath(url)).toEqual(expected);
  });
});

describe('the owner of a request', () => {
  test.each([
    ['GET', '/_ping', 'ping'],
    ['HEAD', '/_ping', 'ping'],
    ['GET', '/info', 'api'],
    ['GET', '/version', 'api'],
    ['POST', '/swarm/init', 'api'],
    ['GET', '/nodes', 'api'],
    ['DELETE', '/services/web', 'api'],
    ['GET', '/tasks/x/logs', 'api'],
    ['GET', '/secrets', 'api'],
    ['POST', '/configs/create', 'api'],
    ['POST', '/networks/create', 'network-create'],
    ['GET', '/networks', 'engine'],
    ['GET', '/nodesandmore', 'engine'],
    ['POST', '/containers/nodes/attach', 'engine'],
    ['GET', '/events', 'events'],
    ['POST', '/events', 'engine'],
    ['GET', '/', 'engine'],
  ])('%s %s is for %s', (method, path, owner) => {
    expect(ownerOf(method, path)).toBe(owner);
  });
});

describe('versions', () => {
  const served = { min: '1.12', max: '1.41' };

  test.each(['1.41', '1.12', '1.24'])('%s is served', (version) => {
    expect(() => {
      refuseVersion(version, served);
    }).not.toThrow();
  });

  test('too new and too old are refused with both versions', () => {
    expect(() => {
      refuseVersion('1.99', served);
    }).toThrow('client version 1.99 is too new. Maximum supported API version is 1.41');
    expect(() => {
      refuseVersion('0.1', served);
    }).toThrow(
      'client version 0.1 is too old. Minimum supported API version is 1.12, please upgrade your client to a newer version',
    );
  });

  test.each([
    ['1.9', '1.12', -1],
    ['1.41', '1.41', 0],
    ['2', '1.99', 1],
    ['1.41.0', '1.41', 0],
  ])('%s against %s', (a, b, sign) => {
    expect(Math.sign(compareVersions(a, b))).toBe(sign);
  });
});
