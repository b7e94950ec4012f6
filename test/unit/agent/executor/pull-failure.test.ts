import { expect, test } from 'vitest';
import { isRefusal, judgePullFailure } from '../../../../agent/executor/pull-failure.js';

/** As Engines and registries say it. */
const PASSING = [
  'Get "http://10.0.0.1:5000/v2/": dial tcp 10.0.0.1:5000: connect: connection refused',
  'Get "https://reg/v2/": net/http: TLS handshake timeout',
  'Get "https://reg/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
  'unexpected EOF',
  'toomanyrequests: You have reached your pull rate limit',
  'received unexpected HTTP status: 503 Service Unavailable',
];
const LASTING = [
  'manifest for reg:5000/app:9 not found: manifest unknown: manifest unknown',
  'Get "http://reg:5000/v2/": dial tcp: lookup reg on 127.0.0.1:53: read udp 127.0.0.1:1->127.0.0.1:53: read: connection refused',
  'no matching manifest for linux/arm64/v8 in the manifest list entries',
];
const REFUSED = [
  'Head "http://reg:5000/v2/app/manifests/1": unauthorized: authentication required',
  'Head "http://reg:5000/v2/app/manifests/1": no basic auth credentials',
  "pull access denied for app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
];

test.each(PASSING)('asks again, later each time, after: %s', (text) => {
  const verdicts = [0, 1, 2, 3].map((attempt) => judgePullFailure(text, attempt));
  expect(verdicts).toMatchObject([
    { kind: 'retry', delay: 500 },
    { kind: 'retry', delay: 1000 },
    { kind: 'retry', delay: 2000 },
    { kind: 'give-up' },
  ]);
  expect(isRefusal(text)).toBe(false);
});

test.each([...LASTING, ...REFUSED])('does not ask again after: %s', (text) => {
  expect(judgePullFailure(text, 0).kind).toBe('give-up');
});

test.each(REFUSED)('other credentials may help after: %s', (text) => {
  expect(isRefusal(text)).toBe(true);
});
