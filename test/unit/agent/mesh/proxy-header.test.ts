import { describe, expect, test } from 'vitest';
import { parseIp } from '../../../../agent/mesh/ip-bytes.js';
import { proxyHeader } from '../../../../agent/mesh/proxy-header.js';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const client4 = { address: '192.168.0.1', port: 56_324 };
const published4 = { address: '192.168.0.11', port: 443 };
const client6 = { address: '2001:db8::1:2', port: 1 };
const published6 = { address: 'fe80::ff%eth0', port: 65_535 };

describe('the header of the PROXY protocol', () => {
  test('version 1 is the line of the specification', () => {
    expect(proxyHeader('v1', client4, published4).toString()).toBe('PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n');
    expect(proxyHeader('v1', client6, published6).toString()).toBe('PROXY TCP6 2001:db8::1:2 fe80::ff 1 65535\r\n');
  });

  test('version 2 is the signature, the family, the length, both addresses and both ports', () => {
    expect(proxyHeader('v2', client4, published4).toString('hex')).toBe(`${SIGNATURE}2111000cc0a80001c0a8000bdc0401bb`);
    expect(proxyHeader('v2', client6, published6).toString('hex')).toBe(
      `${SIGNATURE}21210024` + '20010db8000000000000000000010002' + 'fe8000000000000000000000000000ff' + '0001ffff',
    );
  });

  test.each(['v1', 'v2'] as const)('an IPv4 client of a listener on :: is an IPv4 client (%s)', (version) => {
    const mapped = { ...client4, address: `::ffff:${client4.address}` };
    const published = { ...published4, address: `::FFFF:${published4.address}` };
    expect(proxyHeader(version, mapped, published)).toEqual(proxyHeader(version, client4, published4));
  });

  test('what is not known is told so', () => {
    const nobody = { address: '', port: 0 };
    expect(proxyHeader('v1', nobody, published4).toString()).toBe('PROXY UNKNOWN\r\n');
    expect(proxyHeader('v2', nobody, published4).toString('hex')).toBe(`${SIGNATURE}21000000`);
    expect(proxyHeader('v1', client6, published4).toString()).toBe('PROXY UNKNOWN\r\n');
  });
});

test.each([
  ['::', '0'.repeat(32)],
  ['::1', `${'0'.repeat(31)}1`],
  ['1::', `0001${'0'.repeat(28)}`],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ['64:ff9b::1.2.3.4', '0064ff9b000000000000000001020304'],
  ['255.0.0.1', 'ff000001'],
])('%s is %s', (address, hex) => {
  expect(parseIp(address)?.toString('hex')).toBe(hex);
});

test.each(['', '1.2.3', '1.2.3.256', ':', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', 'g::', '12345::', 'host'])(
  '%j is no address',
  (address) => {
    expect(parseIp(address)).toBeUndefined();
  },
);
