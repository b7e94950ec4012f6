import { describe, expect, test } from 'vitest';
import { parseExpiry } from '../../../cli/client-cert.js';
import { chooseHost, explainTls, parseHost, readTlsFiles } from '../../../cli/daemon-host.js';

describe('which daemon is meant', () => {
  test.each<[string | undefined, Record<string, string>, string]>([
    [undefined, {}, 'unix:///d'],
    ['unix:///a', { BALE_HOST: 'unix:///b', DOCKER_HOST: 'tcp://c' }, 'unix:///a'],
    [undefined, { BALE_HOST: 'unix:///b', DOCKER_HOST: 'tcp://c' }, 'unix:///b'],
    [undefined, { BALE_HOST: '', DOCKER_HOST: 'tcp://c' }, 'tcp://c'],
    // An Engine's own socket, as often as not.
    [undefined, { DOCKER_HOST: 'unix:///var/run/docker.sock' }, 'unix:///d'],
  ])('flag %s, environment %o: %s', (flag, env, chosen) => {
    expect(chooseHost(flag, env, 'unix:///d')).toBe(chosen);
  });

  test('its address', () => {
    expect(parseHost('unix:///run/x.sock', '')).toEqual({ kind: 'socket', path: '/run/x.sock' });
    expect(parseHost('tcp://h1', '')).toEqual({ kind: 'tcp', host: 'h1', port: 2376 });
    expect(parseHost('tcp://[::1]:99', '')).toEqual({ kind: 'tcp', host: '::1', port: 99 });
  });

  test.each(['ssh://h1', 'tcp://', 'h1:2376', 'tcp://a@b', 'tcp://h1/path', 'http://h1'])('%s is refused', (host) => {
    expect(() => parseHost(host, 'unix:///d')).toThrow(/--host|not supported/);
  });
});

test('a client file that is missing is named, with what to do', () => {
  expect(() => readTlsFiles({}, { DOCKER_CERT_PATH: '/nowhere' })).toThrow(/\/nowhere\/ca\.pem.*DOCKER_CERT_PATH/);
  expect(() => readTlsFiles({ tlscacert: '/else/c.pem' }, { HOME: '/nowhere' })).toThrow('/else/c.pem');
});

test('failures of TLS are put in words', () => {
  expect(explainTls(Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), 'tcp://h1')).toMatch(
    /tcp:\/\/h1/,
  );
  expect(explainTls(new Error('x'), 'tcp://h1')).toBeUndefined();
});

test('an expiry may be given in days', () => {
  expect(parseExpiry('365d')).toBe(365 * 24 * 3600e9);
  expect(parseExpiry('90m')).toBe(90 * 60e9);
  expect(() => parseExpiry('1y')).toThrow('invalid argument "1y" for "--expiry": write it like 90m, 12h or 30d');
  for (const text of ['0', '0d', '59s', '-1h', '3651d', '99999d']) {
    expect(() => parseExpiry(text)).toThrow(`invalid argument "${text}" for "--expiry": it must be from 1m to 3650d`);
  }
});
