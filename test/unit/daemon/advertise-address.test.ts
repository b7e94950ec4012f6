import { describe, expect, test } from 'vitest';
import { chooseAdvertiseAddress, type InterfaceAddress, systemAddress } from '../../../daemon/advertise-address.js';

const at = (interfaceName: string, address: string, internal = false): InterfaceAddress => ({
  interfaceName,
  address,
  family: address.includes(':') ? 'IPv6' : 'IPv4',
  internal,
});
const lo = [at('lo', '127.0.0.1', true), at('lo', '::1', true)];
const any = { host: '0.0.0.0', port: 2377 };

describe('the address that other nodes are told', () => {
  test('is the one asked for, with its port or that of the cluster port', () => {
    expect(chooseAdvertiseAddress({ wanted: '10.0.0.5', listen: any, interfaces: lo })).toEqual({
      host: '10.0.0.5',
      port: 2377,
    });
    expect(chooseAdvertiseAddress({ wanted: '[fd00::1]:99', listen: any, interfaces: lo })).toEqual({
      host: 'fd00::1',
      port: 99,
    });
  });

  test('can be named by its interface; IPv4 wins', () => {
    const interfaces = [...lo, at('eth1', 'fd00::2'), at('eth1', '10.1.0.2'), at('eth0', '10.0.0.2')];
    expect(chooseAdvertiseAddress({ wanted: 'eth1:99', listen: any, interfaces })).toEqual({
      host: '10.1.0.2',
      port: 99,
    });
  });

  test('is else the one listened on', () => {
    const listen = { host: '127.0.0.2', port: 5 };
    expect(chooseAdvertiseAddress({ listen, interfaces: [] })).toEqual(listen);
    expect(chooseAdvertiseAddress({ wanted: '', listen: any, interfaces: [] })).toBeUndefined();
  });

  test.each(['0.0.0.0', '::', 'eth7', 'manager.example'])('%s is refused', (wanted) => {
    expect(() => chooseAdvertiseAddress({ wanted, listen: any, interfaces: lo })).toThrow(
      /advertise address must be a non-zero IP address or network interface/,
    );
  });

  test('an interface with two addresses is no choice', () => {
    const interfaces = [at('eth0', '10.0.0.1'), at('eth0', '10.0.0.2')];
    expect(() => chooseAdvertiseAddress({ wanted: 'eth0', listen: any, interfaces })).toThrow(
      'interface eth0 has more than one IPv4 address (10.0.0.1 and 10.0.0.2)',
    );
  });
});

describe("the machine's only address", () => {
  test('leaves out loopback, link-local and the bridges of the Engine', () => {
    const interfaces = [
      ...lo,
      at('docker0', '172.17.0.1'),
      at('br-0123456789ab', '172.18.0.1'),
      at('docker_gwbridge', '172.19.0.1'),
      at('eth0', 'fe80::1'),
      at('eth0', 'fd00::2'),
      at('eth0', '10.0.0.2'),
    ];
    expect(systemAddress(interfaces)).toBe('10.0.0.2');
  });

  test('may be IPv6', () => {
    expect(systemAddress([...lo, at('eth0', 'fd00::2')])).toBe('fd00::2');
  });

  test('none, or several, are refused in words that clients know', () => {
    expect(() => systemAddress(lo)).toThrow("could not find the system's IP address");
    expect(() => systemAddress([at('eth0', '10.0.0.2'), at('eth1', '10.1.0.2')])).toThrow(
      'could not choose an IP address to advertise since this system has multiple addresses on different interfaces ' +
        '(10.0.0.2 on eth0 and 10.1.0.2 on eth1)',
    );
    expect(() => systemAddress([at('eth0', '10.0.0.2'), at('eth0', '10.0.0.3')])).toThrow(
      'multiple addresses on interface eth0 (10.0.0.2 and 10.0.0.3)',
    );
  });
});
