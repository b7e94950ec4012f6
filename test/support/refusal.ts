import { expect } from 'vitest';
import type { Output } from './run.js';

/** A command that failed as it should: one clear line on standard error, nothing on standard output. */
export function expectRefusal({ code, stdout, stderr }: Output, cause: RegExp): void {
  expect(stderr).toMatch(cause);
  expect(stderr.trimEnd().split('\n'), 'one clear error').toHaveLength(1);
  expect(stderr, 'words of the program, not of its libraries').not.toMatch(
    /node:internal|OPENSSL|SSL routines|rpc error/,
  );
  expect(stdout).toBe('');
  expect(code).not.toBe(0);
}
