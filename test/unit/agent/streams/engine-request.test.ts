import { describe, expect, test } from 'vitest';
import { readEngineRequest } from '../../../../agent/streams/engine-request.js';

describe('what a manager may ask of the Engine of a node', () => {
  test.each([
    ['GET', '/containers/abc/json'],
    ['GET', '/v1.41/containers/web.1.x_y-z/logs?follow=1'],
    ['GET', '/containers/abc/top'],
    ['GET', '/containers/abc/stats'],
    ['HEAD', '/containers/abc/archive?path=/'],
    ['GET', '/containers/abc/archive?path=/'],
    ['PUT', '/containers/abc/archive?path=/'],
    ['POST', '/containers/abc/exec'],
    ['POST', '/containers/abc/attach?stream=1'],
    ['POST', '/containers/abc/resize?h=1&w=2'],
    ['POST', '/containers/abc/wait?condition=next-exit'],
    ['POST', '/containers/abc/kill?signal=INT'],
    ['POST', '/exec/abc/start'],
    ['POST', '/exec/abc/resize'],
    ['GET', '/exec/abc/json'],
  ])('%s %s', (method, url) => {
    expect(readEngineRequest(method, url)).toBeDefined();
  });

  test.each([
    ['POST', '/containers/abc/start'],
    ['POST', '/containers/abc/stop'],
    ['DELETE', '/containers/abc'],
    ['GET', '/containers/abc/export'],
    ['POST', '/containers/abc/update'],
    ['GET', '/containers/json'],
    ['GET', '/exec/abc/start'],
    ['GET', '/images/json'],
    ['GET', '/info'],
    ['POST', '/v1.41/containers/create'],
    ['get', '/containers/abc/json'],
    ['GET', '/containers/../json'],
    ['GET', '/containers/./json'],
    ['GET', '/containers/a%2fb/json'],
    ['GET', '/containers//json'],
    ['GET', '//containers/abc/json'],
    ['GET', '/containers/abc/json/'],
    ['GET', '/containers/abc/JSON'],
    ['GET', '/v1.41/v1.41/containers/abc/json'],
    ['GET', 'http://other/containers/abc/json'],
    ['GET', '/containers/abc/json#x'],
    ['GET', '/containers/abc\r\n/json'],
    ['GET', ''],
  ])('not %s %s', (method, url) => {
    expect(readEngineRequest(method, url)).toBeUndefined();
  });

  test('keeps version and query when the id is spelled otherwise', () => {
    const request = readEngineRequest('GET', '/v1.41/containers/web.1/logs?tail=3&since=1');
    expect(request?.target).toEqual({ kind: 'container', id: 'web.1' });
    expect(request?.urlFor('abc')).toBe('/v1.41/containers/abc/logs?tail=3&since=1');
  });
});
