import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { BaleError, type ErrorKind } from '../../../core/errors.js';
import { fromServiceError, toStatus } from '../../../proto/grpc-errors.js';

const received = (code: status, details: string, metadata = new Metadata()): ServiceError =>
  Object.assign(new Error(`${code}: ${details}`), { code, details, metadata });

describe('errors over gRPC', () => {
  const kinds: ErrorKind[] = [
    'invalid',
    'failed-precondition',
    'unauthenticated',
    'forbidden',
    'not-found',
    'conflict',
    'out-of-sequence',
    'unimplemented',
    'unavailable',
    'internal',
  ];
  it.each(kinds)('a BaleError of kind %s comes out as it went in', (kind) => {
    const error = new BaleError('node “x” is 100 % gone', { kind, code: 'BALE_TEST' });
    const { code, details, metadata } = toStatus(error);
    expect(fromServiceError(received(code, details, metadata), 'm:1')).toEqual(error);
  });

  it('each kind has a status of its own', () => {
    const codes = kinds.map((kind) => toStatus(new BaleError('', { kind, code: 'X' })).code);
    expect(new Set(codes).size).toBe(kinds.length);
  });

  it('the text of an unexpected error stays with the manager', () => {
    expect(toStatus(new Error('password=1')).details).toBe('the manager failed to answer; its log tells why');
  });

  it('sends no half surrogate, and no message that peers would refuse', () => {
    const { details } = toStatus(new BaleError('\ud800'.padEnd(9000, 'x'), { kind: 'invalid', code: 'X' }));
    expect(() => encodeURI(details)).not.toThrow();
    expect(details).toHaveLength(4000);
  });

  it.each([
    ['connect ECONNREFUSED 10.0.0.1:2377', 'BALE_MANAGER_UNREACHABLE', 'connection refused'],
    ['Deadline exceeded after 5.0s', 'BALE_MANAGER_UNREACHABLE', 'no answer'],
    ['Name resolution failed for target dns:m:1', 'BALE_MANAGER_UNREACHABLE', 'cannot be resolved'],
    ['write EPROTO 00:error:wrong version number', 'BALE_MANAGER_UNREACHABLE', 'not a bale manager'],
    ['unable to verify the first certificate', 'BALE_CA_MISMATCH', 'another cluster'],
    ['certificate has expired', 'BALE_CERTIFICATE_EXPIRED', 'check the clocks'],
    ['something new', 'BALE_MANAGER_UNREACHABLE', 'something new'],
  ])('a broken transport (%s) names the manager and what to check', (details, code, words) => {
    const error = fromServiceError(received(status.UNAVAILABLE, details), '10.0.0.1:2377');
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(words);
    expect(error.message).toContain('10.0.0.1:2377');
  });
});
