import type { z } from 'zod';
import { BaleError } from '../../core/errors.js';
import type { Shape } from './shape.js';

const LONGEST_SHOWN = 64;

/** A field or value of the Engine API that this version does not have: 501, by name. */
export class FieldRefused extends BaleError {
  constructor(
    /** Where it stands, e.g. `TaskTemplate.Networks`. */
    readonly field: string,
    because: string,
  ) {
    super(`${field} is not implemented yet: ${because}`, { kind: 'unimplemented', code: 'BALE_NOT_IMPLEMENTED' });
  }
}

/**
 * Reads a request body. Throws BALE_REQUEST_INVALID (400) with the path of the first field that has
 * the wrong type, else FieldRefused (501) for the first field this version does not have.
 */
export function decode<V>(documentName: string, shape: Shape<V>, body: unknown): V {
  const result = shape.schema.safeParse(body, { reportInput: true });
  if (result.success) return result.data;
  const { issues } = result.error;
  const wrong = issues.find((issue) => refusalOf(issue) === undefined);
  if (wrong !== undefined) {
    if (wrong.code === 'custom' && wrong.params?.verbatim === true) {
      throw new BaleError(wrong.message, { kind: 'invalid', code: 'BALE_SPEC_INVALID' });
    }
    const path = pathText(wrong.path);
    throw new BaleError(`invalid ${documentName}: ${path === '' ? '' : `${path}: `}${complaint(wrong)}`, {
      kind: 'invalid',
      code: 'BALE_REQUEST_INVALID',
    });
  }
  const refusal = issues[0];
  throw new FieldRefused(
    `${pathText(refusal?.path ?? [])}${refusal === undefined ? '' : shownValue(refusal)}`,
    (refusal && refusalOf(refusal)) ?? 'it is unknown to this version',
  );
}

const refusalOf = (issue: z.core.$ZodIssue): string | undefined => {
  const because: unknown = issue.code === 'custom' ? issue.params?.refused : undefined;
  return typeof because === 'string' ? because : undefined;
};

const shorten = (value: string): string => (value.length > LONGEST_SHOWN ? `${value.slice(0, LONGEST_SHOWN)}…` : value);

function shownValue(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'custom' || issue.params?.shown !== true) return '';
  if (typeof issue.input === 'string') return ` ${JSON.stringify(shorten(issue.input))}`;
  return typeof issue.input === 'number' ? ` ${issue.input}` : '';
}

const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((before, part) => {
    if (typeof part === 'number') return `${before}[${part}]`;
    return before === '' ? shorten(String(part)) : `${before}.${shorten(String(part))}`;
  }, '');

/** What is wrong with a value, in words. Values of strings are not shown unless they had to be one of a few words. */
function complaint(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${expectedName(issue.expected)}, got ${typeName(issue.input)}`;
    case 'invalid_value':
      return typeof issue.input === 'string'
        ? `must be one of ${issue.values.join(', ')}, got ${JSON.stringify(shorten(issue.input))}`
        : `expected a string, got ${typeName(issue.input)}`;
    case 'too_small':
      return `must be at least ${issue.minimum}, got ${String(issue.input)}`;
    case 'too_big':
      return `must be at most ${issue.maximum}, got ${String(issue.input)}`;
    case 'custom':
      return issue.message;
    case 'invalid_format':
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
      return issue.message;
  }
}

function expectedName(expected: string): string {
  switch (expected) {
    case 'string':
      return 'a string';
    case 'boolean':
      return 'true or false';
    case 'number':
      return 'a number';
    case 'array':
      return 'a list';
    case 'object':
    case 'record':
      return 'an object';
    default:
      return expected;
  }
}

function typeName(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'boolean' ? 'true or false' : `a ${typeof value}`;
}
