import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadIdentity, saveIdentity } from '../../../core/identity-file.js';
import { newPrivateKey } from '../../../core/x509.js';
import { TestCa } from '../../support/identities.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bale-identity-'));
});
afterEach(() => rm(directory, { recursive: true }));

const path = (): string => join(directory, 'identity.pem');

describe('the identity file', () => {
  it('gives back what was saved, readable by its owner alone', async () => {
    const identity = (await TestCa.create()).identity('n1', 'manager');
    await saveIdentity(path(), identity);
    expect(await loadIdentity(path())).toEqual(identity);
    expect((await stat(path())).mode & 0o777).toBe(0o600);
  });

  it('keeps its blocks in order: key, certificate, root', async () => {
    await saveIdentity(path(), (await TestCa.create()).identity('n1'));
    const labels = [...(await readFile(path(), 'utf8')).matchAll(/BEGIN ([A-Z ]+)/g)].map(([, label]) => label);
    expect(labels).toEqual(['PRIVATE KEY', 'CERTIFICATE', 'CERTIFICATE']);
  });

  it('is missing: said so', async () => {
    await expect(loadIdentity(path())).rejects.toMatchObject({ code: 'BALE_IDENTITY_MISSING', kind: 'not-found' });
  });

  it('that is cut off, mixed up or unreadable is refused with its path and without the key', async () => {
    const ca = await TestCa.create();
    const identity = ca.identity('n1');
    const other = { ...identity, privateKey: newPrivateKey() };
    await saveIdentity(path(), other);
    await expect(loadIdentity(path())).rejects.toMatchObject({
      code: 'BALE_IDENTITY_UNREADABLE',
      message: `the identity of this node at ${path()} cannot be used: its key, certificate and root do not belong together`,
    });
    await saveIdentity(path(), identity);
    const whole = await readFile(path(), 'utf8');
    for (const part of [0, 0.2, 0.5, 0.9]) {
      await writeFile(path(), whole.slice(0, whole.length * part));
      const error: unknown = await loadIdentity(path()).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'BALE_IDENTITY_UNREADABLE' });
      expect(String(error)).not.toContain('BEGIN PRIVATE');
    }
    await expect(loadIdentity(directory)).rejects.toMatchObject({ code: 'BALE_IDENTITY_UNREADABLE' });
  });
});
