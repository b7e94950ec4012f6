import { describe, expect, it } from 'vitest';
import { isImageReference } from '../../../../proto/engine/image-reference.js';

const HEX = 'a'.repeat(64);

describe('image reference', () => {
  it.each([
    'busybox',
    'busybox:1.36',
    'library/busybox',
    'a__b/c--d:T_1',
    'localhost/x',
    'localhost:5000/x/y:z',
    'Registry/x',
    'registry.example.com/team/app@sha256:' + HEX,
    'app:1@sha256:' + HEX,
    '[::1]:5000/app',
    '127.0.0.1:5000/app',
  ])('%s is one', (text) => {
    expect(isImageReference(text)).toBe(true);
  });

  it.each([
    '',
    ' ',
    'Busybox',
    'a b',
    'a:',
    ':a',
    'a:b:c',
    '/a',
    'a/',
    'a//b',
    'a@sha256:short',
    HEX,
    '-a',
    'a-',
    'a..b',
    'exa_mple.com/x',
    `${'a/'.repeat(200)}a`,
    `a:${'t'.repeat(129)}`,
  ])('%j is none', (text) => {
    expect(isImageReference(text)).toBe(false);
  });

  it('does not labour over a hostile text', () => {
    const started = performance.now();
    expect(isImageReference(`${'a-'.repeat(500)}!`)).toBe(false);
    expect(isImageReference(`${'a'.repeat(100_000)}!`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
