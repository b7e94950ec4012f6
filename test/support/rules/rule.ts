import { expect } from 'vitest';
import { serviceBody } from '../service-body.js';

/** The answer to a request: its status, and the message when it is a refusal. */
export interface Outcome {
  readonly status: number;
  readonly message: string | RegExp;
}

/** One rule of the Engine's API, with a request that breaks it. */
export interface Rule {
  /** Where the reference states it. */
  readonly section: string;
  readonly rule: string;
  /** `METHOD /path`. In it, in the body and in messages `{nouns/name}` is an id and `{nouns/name@}` its present version. */
  readonly request: string;
  readonly body?: unknown;
  /** What a Docker Engine answers. */
  readonly engine: Outcome;
  /** What bale answers where that is something else; `because` is a sentence of docs/compatibility.md. */
  readonly bale?: Outcome & { readonly because: string };
}

/** A rule that makes something of what was sent. */
export interface Filling {
  readonly section: string;
  readonly rule: string;
  /** Of `POST /services/create`. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Of the service that is made, at least. */
  readonly shows: Readonly<Record<string, unknown>>;
  /** What bale shows where that is something else. `because` as above. */
  readonly bale?: { readonly shows: Readonly<Record<string, unknown>>; readonly because: string };
}

export const invalid = (words: string): Outcome => ({
  status: 400,
  message: `rpc error: code = InvalidArgument desc = ${words}`,
});

export const precondition = (words: string): Outcome => ({
  status: 400,
  message: `rpc error: code = FailedPrecondition desc = ${words}`,
});

export const CREATE = 'POST /services/create';

/** A service of no replicas, with `over` in its body, deep, but for the mode. */
export function service({ Mode, ...over }: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { ...serviceBody({ Name: 'new', ...over }), Mode: Mode ?? { Replicated: { Replicas: 0 } } };
}

export const task = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  service({ TaskTemplate: fields });

export const container = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  task({ ContainerSpec: fields });

export const ports = (...Ports: readonly Readonly<Record<string, unknown>>[]): Record<string, unknown> =>
  service({ EndpointSpec: { Ports } });

/** `document` with a matcher in the place of each pattern. */
export function withMatchers(document: Readonly<Record<string, unknown>>): object {
  const matched = (inner: unknown): unknown => {
    if (inner instanceof RegExp) return expect.stringMatching(inner);
    if (Array.isArray(inner)) return inner.map(matched);
    if (typeof inner !== 'object' || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, one]) => [key, matched(one)]));
  };
  return Object.fromEntries(Object.entries(document).map(([key, one]) => [key, matched(one)]));
}

/** Of `POST /services/create`. */
export const create = (
  section: string,
  rule: string,
  body: unknown,
  engine: Rule['engine'],
  bale?: Rule['bale'],
): Rule => ({ section, rule, request: CREATE, body, engine, ...(bale === undefined ? {} : { bale }) });

export const STALE: Outcome = { status: 500, message: 'rpc error: code = Unknown desc = update out of sequence' };

/** Where Go expects a number without sign. */
export const UNMARSHALLED = /^json: cannot unmarshal .* of type uint64/;

export const notNumber = (noun: string, text: string): Outcome => ({
  status: 400,
  message: `invalid ${noun} version '${text}': strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
});
