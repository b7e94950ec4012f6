import { z } from 'zod';
import type { Field, FieldTable, ReadField, RefusalParams, RefusedField, Shape } from './shape.js';

type Value<V> = Exclude<V, undefined | null>;
type IsOptional<T, K extends keyof T> = T extends Record<K, T[K]> ? false : true;

/**
 * A mark for every field of `T`, optional or not: a field that is added to a type of the API does
 * not compile until it is marked here. Fields that `T` always has must be read with a zero value.
 */
export type Fields<T> = {
  readonly [K in keyof T]-?: IsOptional<T, K> extends true
    ? Field<Value<T[K]>>
    : ReadField<Value<T[K]>> & { readonly presence: 'always' };
};

/** A Go field with `omitempty`: its zero value is not kept. */
export const field = <V>(shape: Shape<V>): ReadField<V> => ({ mark: 'read', shape, presence: 'filled' });

/** A Go pointer: a zero value that was sent says something. */
export const pointer = <V>(shape: Shape<V>): ReadField<V> => ({ mark: 'read', shape, presence: 'kept' });

/** A Go field without `omitempty`, or one that the Engine fills. */
export const always = <V>(shape: Shape<V>, absent: V): ReadField<V> & { readonly presence: 'always' } => ({
  mark: 'read',
  // A function, so that documents do not share one mutable default.
  shape: { ...shape, schema: shape.schema.optional().transform((value) => value ?? structuredClone(absent)) },
  presence: 'always',
});

/** A Go struct by value: there even when not sent. */
export const struct = <V>(shape: Shape<V>): ReadField<V> & { readonly presence: 'always' } => ({
  mark: 'read',
  shape: { ...shape, schema: z.preprocess((value) => value ?? {}, shape.schema) },
  presence: 'always',
});

/** Refused by name unless empty. `because` completes "X is not implemented yet: …". */
export const refused = (because: string): RefusedField => ({ mark: 'refused', because, emptyIsFine: true });

/** Refused by name when there at all: an empty object asks for something. */
export const refusedIfPresent = (because: string): RefusedField => ({ mark: 'refused', because, emptyIsFine: false });

/**
 * A document, decoded as Go's encoding/json does it: keys in any case of letters, the last of equal
 * ones wins, unknown keys are ignored, null is absent. `check` sees the fields before zero values are
 * dropped and may return an error text: the Engine's, which is passed on as it stands.
 */
export function document<T extends object>(
  fields: Fields<T>,
  check?: (value: Readonly<Record<string, unknown>>) => string | undefined,
): Shape<T> {
  const table: FieldTable = fields;
  const names = new Map(Object.keys(table).map((name) => [name.toLowerCase(), name]));
  const shape = Object.fromEntries(Object.entries(table).map(([name, one]) => [name, fieldSchema(one)]));
  const schema = z
    .preprocess((input) => foldKeys(input, names, table), z.object(shape))
    .check((context) => {
      const message = check?.(context.value);
      if (message !== undefined) {
        context.issues.push({ code: 'custom', input: undefined, message, params: { verbatim: true } });
      }
    })
    // `Fields<T>` has checked that the fields read are those of `T`, which the loop below cannot say.
    .transform((value): T => withoutZeros(value, table) as T);
  return { schema, fields: table };
}

function fieldSchema(one: Field<unknown>): z.ZodType {
  switch (one.mark) {
    case 'read':
      return one.presence === 'always' ? one.shape.schema : one.shape.schema.optional();
    case 'refused':
      return z
        .unknown()
        .refine((value) => value === undefined || (one.emptyIsFine && isZero(value, 6)), {
          params: { refused: one.because, shown: false } satisfies RefusalParams,
        })
        .optional();
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function foldKeys(input: unknown, names: ReadonlyMap<string, string>, table: FieldTable): unknown {
  if (!isRecord(input)) return input;
  const folded: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(input)) {
    const name = names.get(key.toLowerCase());
    if (name === undefined || value === null) continue;
    const one = table[name];
    if (value === '' && one?.mark === 'read' && one.shape.emptyIsAbsent === true) continue;
    folded[name] = value;
  }
  return folded;
}

function withoutZeros(value: Readonly<Record<string, unknown>>, table: FieldTable): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(table)) {
    const present = value[name];
    if (one.mark === 'refused' || present === undefined) continue;
    if (one.presence === 'filled' && isZero(present, 0)) continue;
    kept[name] = present;
  }
  return kept;
}

/** Go's zero values; an object is zero when all it holds is, down to `depth` (a bound against hostile nesting). */
function isZero(value: unknown, depth: number): boolean {
  if (value === null || value === undefined || value === false || value === 0 || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  if (!isRecord(value)) return false;
  const inner = Object.values(value);
  return inner.length === 0 || (depth > 0 && inner.every((one) => isZero(one, depth - 1)));
}
