import { describe, expect, test } from 'vitest';
import {
  listenName,
  planListeners,
  type ListenAddress,
  type WantedPort,
} from '../../../../agent/mesh/listener-plan.js';

const PRESENT = ['127.0.0.1', '10.0.0.7', '10.1.0.7', '192.168.1.2', '::1', 'fd00::7'];

const plan = (
  open: readonly ListenAddress[],
  wanted: readonly WantedPort[],
  present: readonly string[] = PRESENT,
): readonly string[] => planListeners(open, wanted, present).map((action) => `${action.kind} ${listenName(action)}`);

const port = (publishedPort: number, listenOn?: string): WantedPort => ({
  publishedPort,
  ...(listenOn === undefined ? {} : { listenOn }),
});

describe('listeners', () => {
  test('closes what is no longer published, then opens what is new, each once', () => {
    const open = [{ publishedPort: 80 }, { publishedPort: 443 }];
    expect(plan(open, [port(443), port(8080), port(8080)])).toEqual(['close 80', 'open 8080']);
  });

  test.each<[string, readonly string[]]>([
    ['10.0.0.7', ['open 80 10.0.0.7']],
    ['10.0.0.0/8', ['open 80 10.0.0.7', 'open 80 10.1.0.7']],
    ['10.0.0.0/16', ['open 80 10.0.0.7']],
    ['fd00::/8', ['open 80 fd00::7']],
    ['0.0.0.0/0', ['open 80 127.0.0.1', 'open 80 10.0.0.7', 'open 80 10.1.0.7', 'open 80 192.168.1.2']],
    ['0.0.0.0', ['open 80 0.0.0.0']],
    ['::', ['open 80 ::']],
    ['127.0.0.9', ['open 80 127.0.0.9']],
    ['172.16.0.0/12', []],
    ['10.0.0.8', []],
  ])('a port for %s is opened on the addresses of the node that are within', (listenOn, actions) => {
    expect(plan([], [port(80, listenOn)])).toEqual(actions);
  });

  test('an address that comes is listened on; one that goes stays, since it may come back', () => {
    const wanted = [port(80, '10.0.0.0/8')];
    const open = [{ publishedPort: 80, host: '10.0.0.7' }];
    expect(plan(open, wanted, ['10.0.0.7', '10.9.9.9'])).toEqual(['open 80 10.9.9.9']);
    expect(plan(open, wanted, [])).toEqual([]);
  });

  test('a port that is published on other addresses is closed where it was first', () => {
    const all = [{ publishedPort: 80 }];
    const one = [{ publishedPort: 80, host: '10.0.0.7' }];
    expect(plan(all, [port(80, '10.0.0.7')])).toEqual(['close 80', 'open 80 10.0.0.7']);
    expect(plan(one, [port(80)])).toEqual(['close 80 10.0.0.7', 'open 80']);
    expect(plan(one, [port(80, '192.168.0.0/16')])).toEqual(['close 80 10.0.0.7', 'open 80 192.168.1.2']);
  });

  test('each action has a reason and an address, and nothing else of what is open', () => {
    const open = [{ publishedPort: 80, host: '10.0.0.7', binding: {} }];
    expect(planListeners(open, [port(80)], PRESENT)).toEqual([
      { kind: 'close', publishedPort: 80, host: '10.0.0.7', reason: 'it is published on another address now' },
      { kind: 'open', publishedPort: 80, reason: 'a service publishes it' },
    ]);
  });
});
