import { expect, test } from 'vitest';
import { decodeAuthHeader, encodeAuthHeader } from '../../../../proto/registry/auth-config.js';

const header = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const basic = (text: string): string => Buffer.from(text).toString('base64');

test.each([
  ['user and password', { username: 'u', password: 'p' }, { username: 'u', password: 'p' }],
  ['keys in any case', { Username: 'u', Password: 'p' }, { username: 'u', password: 'p' }],
  ['user and password in one', { auth: basic('u:p:q') }, { username: 'u', password: 'p:q' }],
  ['a token', { identitytoken: 't', username: '' }, { identitytoken: 't' }],
])('%s are read', (_what, sent, read) => {
  expect(decodeAuthHeader(header(sent))).toEqual(read);
});

test.each([
  ['an empty document', header({})],
  ['a server alone', header({ serveraddress: 'x' })],
  ["a service's spec", header({ Name: 'web', TaskTemplate: {} })],
  ['null', header(null)],
  ['no JSON', 'e30e30'],
  ['nothing', ''],
])('%s is no credentials', (_what, text) => {
  expect(decodeAuthHeader(text)).toBeUndefined();
});

test('the header is written as Go reads it: with padding, in the alphabet of URLs', () => {
  const text = encodeAuthHeader({ username: 'a', password: '??>>' });
  expect(text).toMatch(/^[A-Za-z0-9_-]+=*$/);
  expect(text.length % 4).toBe(0);
  expect(decodeAuthHeader(text)).toEqual({ username: 'a', password: '??>>' });
});
