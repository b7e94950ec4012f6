import { describe, expect, test } from 'vitest';
import { engineError } from '../../../../agent/executor/engine-error.js';
import { BaleError } from '../../../../core/errors.js';

const answer = (statusCode: number, message: string): Error =>
  Object.assign(new Error(`(HTTP code ${statusCode}) reason - ${message} `), { statusCode, json: { message } });

describe('an error of the Engine', () => {
  test.each([
    [404, 'No such image: x:1', 'BALE_IMAGE_NOT_FOUND'],
    [404, 'No such container: abc', 'BALE_CONTAINER_NOT_FOUND'],
    [409, 'Conflict. The container name "/web.1.t" is already in use', 'BALE_CONTAINER_CONFLICT'],
    [400, 'invalid mount config for type "bind": bind source path does not exist: /x', 'BALE_CONTAINER_REFUSED'],
    [500, 'driver failed', 'BALE_ENGINE_FAILED'],
  ])('with status %i and "%s" is %s, in its own words', (status, message, code) => {
    expect(engineError(answer(status, message))).toMatchObject({ code, message });
  });

  test('keeps its own words when its body could not be read', () => {
    const error = Object.assign(new Error('(HTTP code 500) server error - no space left on device '), {
      statusCode: 500,
    });
    expect(engineError(error).message).toBe('no space left on device');
  });

  test('that is no answer at all means an Engine to wait for', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED /run/docker.sock'), { code: 'ECONNREFUSED' });
    expect(engineError(refused)).toMatchObject({
      code: 'BALE_ENGINE_UNAVAILABLE',
      message: 'the Docker Engine does not answer: connect ECONNREFUSED /run/docker.sock',
    });
    expect(engineError(answer(503, 'starting'))).toMatchObject({ code: 'BALE_ENGINE_UNAVAILABLE' });
  });

  test('passes aborts and errors of bale through', () => {
    const abort = new DOMException('stop', 'AbortError');
    const own = new BaleError('x', { kind: 'internal', code: 'BALE_X' });
    expect([engineError(abort), engineError(own)]).toEqual([abort, own]);
  });
});
