import { expect, test } from 'vitest';
import { newDataKey, Vault } from '../../../../manager/secrets/vault.js';

const ref = { kind: 'secret', id: 's1' } as const;
const data = Buffer.from('a value that nobody may see');

test('what was sealed opens, and the sealed text does not hold it', () => {
  const vault = new Vault(newDataKey());
  const sealed = vault.seal(ref, data);
  expect(Buffer.from(sealed, 'base64').includes('nobody')).toBe(false);
  expect(vault.open(ref, sealed)).toEqual(data);
  expect(vault.seal(ref, data)).not.toBe(sealed);
});

test('another key, another row and a changed text do not open', () => {
  const vault = new Vault(newDataKey());
  const sealed = vault.seal(ref, data);
  const code = expect.objectContaining({ code: 'BALE_DATA_KEY_WRONG' }) as unknown;
  expect(() => new Vault(newDataKey()).open(ref, sealed)).toThrow(code);
  expect(() => vault.open({ kind: 'config', id: 's1' }, sealed)).toThrow(code);
  expect(() => vault.open({ kind: 'secret', id: 's2' }, sealed)).toThrow(code);
  const bytes = Buffer.from(sealed, 'base64');
  bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
  expect(() => vault.open(ref, bytes.toString('base64'))).toThrow(code);
  expect(() => vault.open(ref, '')).toThrow(code);
});
