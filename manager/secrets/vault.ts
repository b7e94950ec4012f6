import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { BaleError } from '../../core/errors.js';
import type { PayloadRef } from '../../proto/payload.js';

const CIPHER = 'aes-256-gcm';
/** Bytes. */
const KEY = 32;
const NONCE = 12;
const TAG = 16;

/** What can be sealed: payloads, and the private key of the client CA. */
export interface SealedRef {
  readonly kind: PayloadRef['kind'] | 'client-ca';
  readonly id: string;
}

const sealedKey = ({ kind, id }: SealedRef): Buffer => Buffer.from(`${kind}:${id}`);

export const newDataKey = (): Buffer => randomBytes(KEY);

/**
 * Seals the data of secrets and configs and the key of the client CA, so that neither the journal nor a copy of it holds clear text:
 * AES-256-GCM with a nonce of its own each time. The kind and id of what is sealed are authenticated
 * along: a sealed text that was moved to another row does not open.
 */
export class Vault {
  readonly #key: Buffer;

  /** `key` has 32 bytes. */
  constructor(key: Buffer) {
    this.#key = key;
  }

  /** base64 of nonce, tag and cipher text. */
  seal(ref: SealedRef, data: Uint8Array): string {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG });
    cipher.setAAD(sealedKey(ref));
    const body = Buffer.concat([cipher.update(data), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
  }

  /** Throws BALE_DATA_KEY_WRONG when it was sealed with another key, for another row, or was damaged. */
  open(ref: SealedRef, sealed: string): Buffer {
    const bytes = Buffer.from(sealed, 'base64');
    try {
      const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, NONCE), { authTagLength: TAG });
      decipher.setAAD(sealedKey(ref));
      decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
      return Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]);
    } catch (error) {
      throw new BaleError(
        `the data of ${ref.kind} ${ref.id} cannot be opened with this manager's data key: ` +
          'restore data.key from the backup that the journal came from',
        { kind: 'internal', code: 'BALE_DATA_KEY_WRONG', cause: error },
      );
    }
  }
}
