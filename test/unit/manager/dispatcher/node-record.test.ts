import { describe, expect, it } from 'vitest';
import { heartbeatOf } from '../../../../manager/dispatcher/heartbeat.js';
import { reportedNode, reportedPorts } from '../../../../manager/dispatcher/node-record.js';
import { judgeSessionRate, type SessionTimes } from '../../../../manager/dispatcher/session-rate.js';
import { storedNode } from '../../../support/stored-objects.js';
import { machine } from '../../../support/test-api.js';

describe('the row of a node', () => {
  const node = storedNode('n1', { status: { state: 'down', message: 'heartbeat lost', addr: '' } });

  it('takes over what the session says', () => {
    const report = { description: machine('a'), engineError: '', addr: '10.0.0.1', meshAddr: '10.0.0.1:2378' };
    expect(reportedNode(node, report)).toMatchObject({
      description: machine('a'),
      status: { state: 'ready', message: '', addr: '10.0.0.1' },
      meshAddr: '10.0.0.1:2378',
    });
  });

  it('is down with the words of its Engine, and ready when that is back', () => {
    const broken = reportedNode(node, { description: machine('a'), engineError: 'connection refused' });
    expect(broken.status).toMatchObject({ state: 'down', message: 'Docker Engine: connection refused' });
    expect(reportedNode(broken, { description: machine('a'), engineError: '' }).status.state).toBe('ready');
  });

  it('keeps the objects that did not change, so that a reconnect is no write', () => {
    const report = { description: machine('a'), engineError: '', addr: '10.0.0.1', meshAddr: '10.0.0.1:2378' };
    const first = reportedNode(node, report);
    const second = reportedNode(first, { ...report, description: machine('a') });
    expect(second.description).toBe(first.description);
    expect(second.status).toBe(first.status);
  });

  it('keeps what its mesh says of its ports, and is no write while that stays the same', () => {
    const error = {
      publishedPort: 80,
      protocol: 'tcp',
      error: 'listen tcp 0.0.0.0:80: address already in use',
    } as const;
    const failed = reportedPorts(node, [error]);
    expect(failed.portErrors).toEqual([error]);
    expect(reportedPorts(failed, [{ ...error }]).portErrors).toBe(failed.portErrors);
    expect(reportedPorts(failed, []).portErrors).toEqual([]);
  });
});

describe('heartbeats', () => {
  it.each([
    [undefined, { period: 500, grace: 2_250 }],
    [0, { period: 500, grace: 2_250 }],
    [5_000e6, { period: 500, grace: 2_250 }],
    [2_000e6, { period: 2_000, grace: 6_000 }],
    [1e6, { period: 100, grace: 300 }],
  ])('with a HeartbeatPeriod of %s ns are %o', (ns, expected) => {
    expect(heartbeatOf({ Dispatcher: ns === undefined ? {} : { HeartbeatPeriod: ns } })).toEqual(expected);
  });
});

describe('the rate of sessions', () => {
  it('is bounded for one node, and recovers', () => {
    let times: SessionTimes = [];
    let admitted = 0;
    for (let now = 0; now < 1_000; now += 10) {
      const verdict = judgeSessionRate(times, now);
      if (verdict.kind === 'refuse') continue;
      admitted += 1;
      times = verdict.times;
    }
    expect(admitted).toBe(12);
    expect(judgeSessionRate(times, 9_000).kind).toBe('admit');
  });
});
