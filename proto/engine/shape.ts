import { z } from 'zod';

/**
 * How one kind of value is read from JSON. A document is a shape with fields, so the shapes are also
 * the register of what this version does with each field of the API (docs/compatibility.md shows it).
 */
export interface Shape<V> {
  readonly schema: z.ZodType<V>;
  /** Of a document, or of the documents in a list or map. */
  readonly fields?: FieldTable;
  readonly container?: 'list' | 'map';
  /** The empty string means absent, as for Go's string enumerations. */
  readonly emptyIsAbsent?: boolean;
  /** Which values are refused, for the register. */
  readonly limits?: string;
}

export type FieldTable = Readonly<Record<string, Field<unknown>>>;

/** A field that this version reads. */
export interface ReadField<V> {
  readonly mark: 'read';
  readonly shape: Shape<V>;
  /** `always`: an absent field gets a value. `kept`: shown when sent. `filled`: its zero value is the same as absent. */
  readonly presence: 'always' | 'kept' | 'filled';
}

/** A field of the API that this version does not have. Sent with a value, it is refused by name. */
export interface RefusedField {
  readonly mark: 'refused';
  readonly because: string;
  /** Whether an empty value means nothing, or already asks for something. */
  readonly emptyIsFine: boolean;
}

export type Field<V> = ReadField<V> | RefusedField;

/** What a custom issue carries when it is a refusal and not an error in the document. */
export interface RefusalParams extends Record<string, unknown> {
  readonly refused: string;
  /** Whether the value may be shown: it is a word or a number, never a secret. */
  readonly shown: boolean;
}

const goNullTo =
  (zero: unknown) =>
  (value: unknown): unknown =>
    value === null ? zero : value;

export const text: Shape<string> = { schema: z.string() };
export const flag: Shape<boolean> = { schema: z.boolean() };
/** A 64-bit number of Go. Beyond 2^53 (104 days in ns) it is rounded, as by every JSON parser of JavaScript. */
const int64 = z.number().refine((value) => Number.isInteger(value) && Math.abs(value) <= 2 ** 63, {
  error: (issue) => `expected a whole number of 64 bits, got ${String(issue.input)}`,
});
export const whole: Shape<number> = { schema: int64 };
/** An unsigned number of Go. */
export const count: Shape<number> = { schema: int64.min(0) };
export const fraction: Shape<number> = { schema: z.number() };

/** One of a few words, in any case of letters as SwarmKit reads them. */
export const word = <const W extends string>(...words: readonly W[]): Shape<W> => ({
  schema: z.preprocess((value) => (typeof value === 'string' ? value.toLowerCase() : value), z.enum(words)),
  emptyIsAbsent: true,
});

/**
 * The most entries of one list or map. Each wrong entry costs the validation library microseconds, and
 * a body has room for a million of them: the manager would stand still for seconds.
 */
const MOST_ENTRIES = 10_000;

/** What is too long is refused as a whole, before any of its entries is looked at. */
const atMost =
  (empty: readonly never[] | Readonly<Record<string, never>>, size: (value: object) => number) =>
  (value: unknown, context: z.RefinementCtx): unknown => {
    if (typeof value !== 'object' || value === null || size(value) <= MOST_ENTRIES) return value;
    const message = `has ${size(value)} entries; at most ${MOST_ENTRIES} can be given`;
    context.addIssue({ code: 'custom', message });
    return empty;
  };

const zeroOf = ({ fields, container }: Shape<unknown>): unknown => {
  if (container === 'list') return [];
  return fields === undefined ? '' : {};
};

/** A list; a null in it is Go's zero value. */
export const list = <V>(element: Shape<V>): Shape<V[]> => ({
  schema: z.preprocess(
    atMost([], (value) => (Array.isArray(value) ? value.length : 0)),
    z.array(z.preprocess(goNullTo(zeroOf(element)), element.schema)),
  ),
  container: 'list',
  ...(element.fields === undefined ? {} : { fields: element.fields }),
});

/** A map of strings; a null in it is the empty string. */
export const textMap: Shape<Record<string, string>> = {
  schema: z.preprocess(
    (value, context) => {
      // Parsers of JSON make an own key of it, objects of JavaScript do not: it would be lost in silence.
      if (typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__')) {
        context.addIssue({ code: 'custom', message: 'the key "__proto__" cannot be used' });
      }
      return atMost({}, (map) => Object.keys(map).length)(value, context);
    },
    z.record(z.string(), z.preprocess(goNullTo(''), z.string())),
  ),
  container: 'map',
};

/** `shape` of which only some values are implemented. `because` completes "X is not implemented yet: …". */
export const limited = <V>(shape: Shape<V>, permits: (value: V) => boolean, because: string): Shape<V> => ({
  ...shape,
  schema: shape.schema.refine(permits, { params: { refused: because, shown: true } satisfies RefusalParams }),
  limits: because,
});
