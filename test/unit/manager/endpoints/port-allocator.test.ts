import { describe, expect, test } from 'vitest';
import { allotPorts } from '../../../../manager/endpoints/port-allocator.js';
import type { PortConfig } from '../../../../proto/engine/service-spec.js';
import { ingressPort, storedService } from '../../../support/stored-objects.js';

const host = (publishedPort: number, targetPort = 80): PortConfig => ({
  ...ingressPort(publishedPort, targetPort),
  PublishMode: 'host',
});
const web = storedService('idw', { name: 'web', ports: [ingressPort(80, 8080)] });
const published = (...args: Parameters<typeof allotPorts>): readonly number[] | string => {
  const allotment = allotPorts(...args);
  return allotment.kind === 'allotted' ? allotment.ports.map((port) => port.PublishedPort) : allotment.reason;
};

describe('published ports', () => {
  test('a fixed port that is free is granted, with the defaults filled in', () => {
    expect(allotPorts([{ TargetPort: 80, PublishedPort: 8080 }], [web])).toEqual({
      kind: 'allotted',
      ports: [{ TargetPort: 80, PublishedPort: 8080, Protocol: 'tcp', PublishMode: 'ingress' }],
    });
  });

  test('"any" takes the lowest free of 30000-32767, in the order of the spec', () => {
    const other = storedService('o', { ports: [ingressPort(30_000, 1), ingressPort(30_002, 1)] });
    const wanted = [ingressPort(0, 80), ingressPort(30_001, 81), { TargetPort: 82 }];
    expect(published(wanted, [other])).toEqual([30_003, 30_001, 30_004]);
  });

  test('each protocol has its own ports', () => {
    const udp = storedService('u', { ports: [{ ...ingressPort(30_000, 53), Protocol: 'udp' }] });
    expect(published([ingressPort(0, 53)], [udp])).toEqual([30_000]);
    expect(published([ingressPort(30_000, 53)], [udp])).toEqual([30_000]);
    const any = { TargetPort: 53, Protocol: 'udp' as const };
    expect(published([any, ingressPort(0, 53), any], [udp])).toEqual([30_001, 30_000, 30_002]);
    expect(published([any], [udp], 'u')).toEqual([30_000]);
  });

  test('an update keeps the port it was given for the same target', () => {
    const other = storedService('o', { ports: [ingressPort(30_000, 1)] });
    const own = storedService('s', { ports: [ingressPort(30_007, 80)] });
    expect(published([ingressPort(0, 80)], [other, own], 's')).toEqual([30_007]);
    expect(published([ingressPort(0, 81)], [other, own], 's')).toEqual([30_001]);
    expect(published([ingressPort(30_007, 81), ingressPort(0, 80)], [other, own], 's')).toEqual([30_007, 30_001]);
    expect(published([ingressPort(0, 80), ingressPort(0, 80)], [other, own], 's')).toEqual([30_007, 30_001]);
  });

  test('a service does not clash with itself', () => {
    expect(published([ingressPort(80, 9090)], [web], 'idw')).toEqual([80]);
  });

  test('an ingress port of another service is refused in the Engine’s words', () => {
    const reason = "port '80' is already in use by service 'web' (idw) as an ingress port";
    expect(allotPorts([ingressPort(80, 1)], [web])).toEqual({ kind: 'refused', code: 'BALE_PORT_IN_USE', reason });
    expect(published([host(80)], [web])).toBe(reason);
    const dns = storedService('idd', { name: 'dns', ports: [{ ...ingressPort(53, 53), Protocol: 'udp' }] });
    expect(published([{ ...ingressPort(53, 1), Protocol: 'udp' }], [dns])).toBe(
      "port '53' is already in use by service 'dns' (idd) as an ingress port (udp)",
    );
  });

  test('a host-mode port refuses ingress, and two host-mode ports get along', () => {
    const hosted = storedService('idh', { name: 'dns', ports: [host(53)] });
    expect(published([ingressPort(53, 1)], [hosted])).toBe(
      "port '53' is already in use by service 'dns' (idh) as a host-published port",
    );
    expect(published([host(53)], [hosted])).toEqual([53]);
  });

  test('the same port twice in one spec is refused', () => {
    expect(allotPorts([ingressPort(80, 1), host(80, 2)], [])).toEqual({
      kind: 'refused',
      code: 'BALE_PORT_DUPLICATE',
      reason: 'EndpointSpec: duplicate published ports provided',
    });
    expect(published([ingressPort(80, 1), { ...ingressPort(80, 1), Protocol: 'udp' }], [])).toEqual([80, 80]);
  });

  test('a host-mode port without a number is left to the Engine', () => {
    expect(published([host(0), host(0)], [])).toEqual([0, 0]);
  });

  test('when no port is left, it says so', () => {
    const full = storedService('f', { ports: Array.from({ length: 2_768 }, (_, n) => ingressPort(30_000 + n, 1)) });
    expect(allotPorts([ingressPort(0, 80)], [full])).toMatchObject({ kind: 'refused', code: 'BALE_PORT_NONE_FREE' });
  });
});
