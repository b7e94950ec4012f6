import { describe, expect, test } from 'vitest';
import {
  forwardRequestHeaders,
  forwardResponseHeaders,
  isForeignCoding,
  isHttp2Offer,
  requestWithoutOffer,
} from '../../../../agent/mesh/http-headers.js';

const from = { clientAddress: '::ffff:10.0.0.7', publishedPort: 80 };

describe('a request', () => {
  test('tells of the client afresh, whatever the client wrote', () => {
    const headers = { host: 'a', 'x-forwarded-for': '6.6.6.6', 'x-forwarded-proto': 'https', 'x-forwarded-port': '1' };
    forwardRequestHeaders(headers, from);
    expect(headers).toEqual({
      host: 'a',
      'x-forwarded-for': '10.0.0.7',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': '80',
      'x-forwarded-host': 'a',
    });
  });

  test('loses what was meant for this hop, by name or by Connection, but never its framing', () => {
    const headers = {
      connection: 'keep-alive, X-Mine, Transfer-Encoding, Content-Length, Host, x-forwarded-for',
      'content-length': '5',
      'keep-alive': 'timeout=5',
      'proxy-connection': 'x',
      'x-mine': '1',
      'transfer-encoding': 'chunked',
      'x-forwarded-host': 'evil',
    };
    forwardRequestHeaders(headers, from);
    expect(headers).toEqual({
      'content-length': '5',
      'transfer-encoding': 'chunked',
      'x-forwarded-for': '10.0.0.7',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': '80',
    });
  });

  test('without its offer of HTTP/2 is the same request', () => {
    expect(isHttp2Offer('h2c')).toBe(true);
    expect(isHttp2Offer('websocket')).toBe(false);
    expect(isHttp2Offer(undefined)).toBe(false);
    const raw = [
      'Host',
      'a',
      'Connection',
      'Upgrade, HTTP2-Settings',
      'Upgrade',
      'h2c',
      'HTTP2-Settings',
      'AA',
      'X',
      '1',
    ];
    expect(requestWithoutOffer({ method: 'GET', url: '/x', rawHeaders: raw }).toString()).toBe(
      'GET /x HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n',
    );
  });
});

describe('an answer', () => {
  test('keeps its headers as spelled and repeated, without those of the hop', () => {
    const raw = ['Set-Cookie', 'a', 'Connection', 'close, X-Hop', 'set-cookie', 'b', 'X-Hop', '1', 'Keep-Alive', 't'];
    expect(forwardResponseHeaders([...raw, 'Transfer-Encoding', 'chunked', 'ETag', 'x'])).toEqual([
      ...['Set-Cookie', 'a', 'set-cookie', 'b', 'ETag', 'x'],
    ]);
  });

  test('in a coding that cannot be undone is foreign', () => {
    expect([undefined, 'chunked', 'Chunked', 'gzip, chunked', 'gzip'].map(isForeignCoding)).toEqual([
      false,
      false,
      false,
      true,
      true,
    ]);
  });
});
