import { describe, expect, test } from 'vitest';
import { classifyFirstBytes } from '../../../../agent/mesh/first-bytes.js';

const classify = (text: string): string => classifyFirstBytes(Buffer.from(text, 'latin1'));

describe('first bytes', () => {
  test.each([
    'GET / HTTP/1.1\r\n',
    'POST /a?b=c HTTP/1.0\r\nHost: x\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\n',
    'GET http://x/ HTTP/1.1\r\n',
    'PROPFIND /dav HTTP/1.1\n',
  ])('%j is HTTP', (text) => {
    expect(classify(text)).toBe('http');
  });

  test.each([
    ['a TLS hello', '\u0016\u0003\u0001\u0002'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a request for a tunnel', 'CONNECT db:5432 HTTP/1.1\r\n'],
    ['Redis', '*1\r\n$4\r\nPING\r\n'],
    ['an inline command of Redis', 'GET key\r\n'],
    ['memcached', 'get key\r\n'],
    ['HTTP/0.9', 'GET /\r\n'],
    ['a method of its own', 'FROBNICATE / HTTP/1.1\r\n'],
    ['mail', 'EHLO example.org\r\n'],
    ['a space', ' GET / HTTP/1.1\r\n'],
    ['a line without end', `GET /${'x'.repeat(20_000)}`],
    ['letters without end', 'GETGETGETGETGETGETGETGETGETGET'],
  ])('%s is opaque', (_name, text) => {
    expect(classify(text)).toBe('opaque');
  });

  test('every beginning of a request line may still become one', () => {
    const line = 'DELETE /a HTTP/1.1\r\n';
    for (let length = 1; length < line.length - 1; length += 1) expect(classify(line.slice(0, length))).toBe('more');
  });
});
