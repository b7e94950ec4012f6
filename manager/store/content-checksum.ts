import { crc32 } from 'node:zlib';

const MODULUS = 2 ** 48;

/**
 * One number over all rows of a journal, kept up to date row by row: the sum of the rows' CRC-32.
 *
 * LevelDB skips a damaged stretch of its log without a word and goes on with the rest, which leaves
 * old rows beside new ones. The checksum is written with each append, so that loading notices.
 */
export class ContentChecksum {
  readonly #rows = new Map<string, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** Takes in a row that was written, or removed when `text` is undefined. */
  set(key: string, text: string | undefined): void {
    this.#total -= this.#rows.get(key) ?? 0;
    if (text === undefined) {
      this.#rows.delete(key);
    } else {
      const sum = crc32(text, crc32(key));
      this.#rows.set(key, sum);
      this.#total += sum;
    }
    this.#total = (this.#total + MODULUS) % MODULUS;
  }
}
