import { describe, expect, test } from 'vitest';
import { Stickiness } from '../../../../agent/mesh/stickiness.js';
import type { Endpoint, PublishedPort } from '../../../../proto/endpoint-table.js';

const endpoint = (taskId: string, state: Endpoint['state'] = 'active'): Endpoint => ({
  taskId,
  nodeId: 'node1',
  targetPort: 80,
  state,
});
const port = (endpoints: readonly Endpoint[], fields: Partial<PublishedPort> = {}): PublishedPort => ({
  publishedPort: 8080,
  protocol: 'tcp',
  mode: 'auto',
  balance: 'sticky',
  serviceId: 'service1',
  serviceName: 'web',
  endpoints,
  ...fields,
});
const [a, b] = [endpoint('taska'), endpoint('taskb')];
/** The cookie that a client sends after it got this header. */
const sentBack = (setCookie: string | undefined): string => setCookie?.split(';')[0] ?? '';

describe('sticky cookie', () => {
  test('is set for the service, for all paths, kept from scripts and from other sites, and does not tell the task', () => {
    const header = new Stickiness(port([a, b])).cookieFor(a, undefined) ?? '';
    expect(header).toMatch(/^bale_web=[\w-]{16}; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(header).not.toContain('taska');
  });

  test('leads back to its replica on any mesh, also one that knows other replicas in another order', () => {
    const cookie = sentBack(new Stickiness(port([a, b])).cookieFor(b, undefined));
    const elsewhere = new Stickiness(port([endpoint('taskc'), b, a], { publishedPort: 9090 }));
    expect(elsewhere.ofCookie(cookie)).toEqual({ kind: 'replica', taskId: 'taskb' });
    expect(elsewhere.isOwn(cookie, b)).toBe(true);
    expect(elsewhere.isOwn(cookie, a)).toBe(false);
    expect(elsewhere.cookieFor(b, cookie)).toBeUndefined();
  });

  test.each([
    ['among others', (own: string) => `x=1; ${own}; bale_webs=2`],
    ['beside an old one of the same name', (own: string) => `bale_web=old; ${own}`],
    ['without blanks', (own: string) => `x=1;${own};y`],
  ])('is found %s', (_how, header) => {
    const sticky = new Stickiness(port([a, b]));
    const own = sentBack(sticky.cookieFor(a, undefined));
    expect(sticky.ofCookie(header(own))).toEqual({ kind: 'replica', taskId: 'taska' });
  });

  test.each([undefined, '', 'bale_web', 'bale_web=', '=', ';;=;', 'bale_web=nobody', 'other=taska', 'bale_web=taska'])(
    'there is none in %j',
    (header) => {
      const sticky = new Stickiness(port([a, b]));
      expect(sticky.ofCookie(header)).toBeUndefined();
      expect(sticky.cookieFor(a, header)).toBeDefined();
    },
  );

  test('one whose replica drains or is gone is as none, and the next answer brings a new one', () => {
    const before = new Stickiness(port([a, b]));
    const cookie = sentBack(before.cookieFor(a, undefined));
    for (const endpoints of [[endpoint('taska', 'draining'), b], [b]]) {
      const sticky = new Stickiness(port(endpoints), before);
      expect(sticky.ofCookie(cookie)).toBeUndefined();
      expect(sentBack(sticky.cookieFor(b, cookie))).toBe(sentBack(before.cookieFor(b, undefined)));
      // Its last answers bring nobody to it.
      expect(sticky.cookieFor(a, undefined)).toBeUndefined();
    }
  });

  test('another service with a task of the same name has other cookies', () => {
    const own = sentBack(new Stickiness(port([a])).cookieFor(a, undefined));
    const other = new Stickiness(port([a], { serviceId: 'service2' }), new Stickiness(port([a])));
    expect(other.ofCookie(own)).toBeUndefined();
  });
});

test('a client of IPv4 is the same on listeners of both families', () => {
  const sticky = new Stickiness(port([a]));
  expect(sticky.ofAddress('::ffff:10.0.0.7')).toEqual(sticky.ofAddress('10.0.0.7'));
});
