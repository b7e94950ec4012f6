import { BaleError, errorMessage } from '../core/errors.js';

/**
 * Checks of the JSON documents within gRPC messages, light enough for an agent at start. A check
 * returns the value it was given, now known to be a T, or throws saying what is wrong and where.
 */
export type Check<T> = (value: unknown, path: string) => T;

/** Parses `text` and checks it. Throws BALE_MESSAGE_MALFORMED naming `what`. */
export function parseDocument<T>(text: string, check: Check<T>, what: string): T {
  try {
    return check(JSON.parse(text), what);
  } catch (error) {
    throw malformed(error instanceof SyntaxError ? `${what} is not JSON: ${errorMessage(error)}` : errorMessage(error));
  }
}

export const malformed = (reason: string): BaleError =>
  new BaleError(`a message of the peer cannot be read: ${reason}`, { kind: 'invalid', code: 'BALE_MESSAGE_MALFORMED' });

const fail = (path: string, expected: string): never => {
  throw new Error(`${path} is not ${expected}`);
};

export const text: Check<string> = (value, path) => (typeof value === 'string' ? value : fail(path, 'a string'));

export const flag: Check<boolean> = (value, path) => (typeof value === 'boolean' ? value : fail(path, 'true or false'));

/** Finite: JSON.parse reads 1e999 as Infinity. */
export const number: Check<number> = (value, path) =>
  typeof value === 'number' && Number.isFinite(value) ? value : fail(path, 'a number');

export const oneOf =
  <T extends string>(choices: readonly T[]): Check<T> =>
  (value, path) =>
    choices.find((choice) => choice === value) ?? fail(path, `one of ${choices.join(', ')}`);

export const list =
  <T>(item: Check<T>): Check<T[]> =>
  (value, path) =>
    Array.isArray(value)
      ? value.map((element: unknown, index) => item(element, `${path}[${index}]`))
      : fail(path, 'a list');

export const record =
  <T>(item: Check<T>): Check<Record<string, T>> =>
  (value, path) => {
    const fields = plain(value, path);
    return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, item(field, `${path}.${key}`)]));
  };

type Fields<T> = { readonly [K in keyof T]-?: Check<Exclude<T[K], undefined>> };
type OptionalKey<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];

/**
 * An object with exactly the fields of T: a field added to T has to be added here, or this does not
 * compile. Fields unknown to T stay, since a document is passed on as it came.
 */
export const object =
  <T extends object>(fields: Fields<T>, optional: readonly (OptionalKey<T> & string)[] = []): Check<T> =>
  (value, path) => {
    const checked: Record<string, unknown> = { ...plain(value, path) };
    for (const [name, check] of Object.entries<Check<unknown>>(fields)) {
      const absent = checked[name] === undefined && optional.some((key) => key === name);
      if (!absent) checked[name] = check(checked[name], `${path}.${name}`);
    }
    // Each field of T was checked above; the compiler cannot see that through the loop.
    return checked as T;
  };

/** An object whose inside is not looked at: for documents of a manager, which its workers trust. */
export const trusted =
  <T extends object>(): Check<T> =>
  (value, path) =>
    // The manager checked the document when a client gave it.
    plain(value, path) as T;

function plain(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(path, 'an object');
  return Object.fromEntries(Object.entries(value));
}
