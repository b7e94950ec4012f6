import { describe, expect, test } from 'vitest';
import { frameBody } from '../../../daemon/upgrade-body.js';

const frame = (headers: Record<string, string>, text: string) => {
  const framed = frameBody(headers, Buffer.from(text));
  return framed === undefined ? undefined : [framed.body.toString(), framed.rest.toString()];
};
const CHUNKED = { 'transfer-encoding': 'chunked' };

describe('the body of an upgrade', () => {
  test('ends where its length says; what follows is not of it', () => {
    expect(frame({ 'content-length': '2' }, '{}POST /containers/create')).toEqual(['{}', 'POST /containers/create']);
    expect(frame({}, 'input')).toEqual(['', 'input']);
    expect(frame({ 'content-length': '3' }, '{}')).toBeUndefined();
  });

  test('ends with its last chunk', () => {
    expect(frame(CHUNKED, '2\r\n{}\r\n0\r\n\r\ninput')).toEqual(['{}', 'input']);
    expect(frame(CHUNKED, '0\r\n\r\n')).toEqual(['', '']);
    for (const cut of ['', '2', '2\r\n{', '2\r\n{}\r\n', '2\r\n{}\r\n0\r\n'])
      expect(frame(CHUNKED, cut)).toBeUndefined();
  });

  test.each<[string, Record<string, string>, string]>([
    ['a length that is none', { 'content-length': 'x' }, ''],
    ['a length below zero', { 'content-length': '-1' }, ''],
    ['more than an exec has to say', { 'content-length': '999999' }, ''],
    ['another encoding', { 'transfer-encoding': 'gzip, chunked' }, '0\r\n\r\n'],
    ['a chunk without a length', CHUNKED, '\r\n\r\n'],
    ['a chunk with an extension', CHUNKED, '2;x\r\n{}\r\n'],
    ['a chunk that does not end', CHUNKED, '2\r\n{}xx0\r\n\r\n'],
    ['trailers', CHUNKED, '0\r\nA: b\r\n\r\n'],
  ])('%s is refused', (_name, headers, text) => {
    expect(() => frame(headers, text)).toThrow(/cannot be read/);
  });
});
