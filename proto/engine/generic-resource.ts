import { BaleError } from '../../core/errors.js';
import type { GenericResource } from './task-spec.js';

const KIND = /^[^\s=,]+$/;

const wrong = (why: string): BaleError =>
  new BaleError(`could not parse GenericResource: ${why}`, { kind: 'invalid', code: 'BALE_GENERIC_RESOURCE_INVALID' });

/**
 * Reads terms such as `gpu=4` (a number of alike things) or `gpu=UUID1`, `gpu=UUID2` (things with
 * names), as dockerd reads --node-generic-resource: a term may hold several, parted by commas, and a
 * kind has either a number or names. Throws BALE_GENERIC_RESOURCE_INVALID naming the term.
 */
export function parseGenericResources(texts: readonly string[]): GenericResource[] {
  const kinds = new Map<string, string[]>();
  for (const term of texts.flatMap((text) => text.split(',')).map((text) => text.trim())) {
    const [kind = '', value = '', ...rest] = term.split('=').map((part) => part.trim());
    if (rest.length > 0 || !KIND.test(kind) || value === '') {
      throw wrong(`incorrect term ${term}, missing '=' or malformed expression`);
    }
    kinds.set(kind, [...(kinds.get(kind) ?? []), value]);
  }
  return [...kinds].flatMap(([kind, values]) => resourcesOfKind(kind, values));
}

function resourcesOfKind(kind: string, values: readonly string[]): readonly GenericResource[] {
  const [first = ''] = values;
  if (values.length === 1 && isNumber(first)) {
    const count = Number(first);
    if (count < 0 || !Number.isSafeInteger(count)) throw wrong(`${kind}=${first} is not a number of at least 0`);
    return [{ DiscreteResourceSpec: { Kind: kind, Value: count } }];
  }
  if (values.some(isNumber))
    throw wrong(`mixed discrete and named resources in expression '${kind}=${values.join(',')}'`);
  return [...new Set(values)].map((value) => ({ NamedResourceSpec: { Kind: kind, Value: value } }));
}

const isNumber = (text: string): boolean => /^[+-]?\d+$/.test(text);

/** What containers are told of the generic resources of their task: `DOCKER_RESOURCE_GPU=UUID1,UUID2`. */
export function genericEnvironment(resources: readonly GenericResource[]): string[] {
  const values = new Map<string, string[]>();
  for (const { NamedResourceSpec: named, DiscreteResourceSpec: discrete } of resources) {
    const { Kind, Value } = named ?? discrete ?? { Kind: '', Value: '' };
    if (Kind !== '') values.set(Kind, [...(values.get(Kind) ?? []), String(Value)]);
  }
  return [...values].map(([kind, own]) => `DOCKER_RESOURCE_${kind.toUpperCase()}=${own.join(',')}`);
}

/** `gpu=2`, `gpu=UUID1`. */
export function genericResourceText({
  NamedResourceSpec: named,
  DiscreteResourceSpec: discrete,
}: GenericResource): string {
  const { Kind, Value } = named ?? discrete ?? { Kind: '', Value: '' };
  return `${Kind}=${Value}`;
}
