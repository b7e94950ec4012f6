import type { FieldTable } from '../../proto/engine/shape.js';
import { serviceBody } from './service-body.js';

/** A field without fields of its own, as in docs/compatibility.md: `Mounts[].Type`. */
export interface FieldPath {
  readonly path: string;
  /** `partly`: some values are refused. */
  readonly mark: 'read' | 'partly' | 'refused';
}

export function fieldPaths(fields: FieldTable | undefined, before = ''): readonly FieldPath[] {
  return Object.entries(fields ?? {}).flatMap(([name, field]): readonly FieldPath[] => {
    const path = before === '' ? name : `${before}.${name}`;
    if (field.mark === 'refused') return [{ path, mark: 'refused' }];
    const inner = fieldPaths(field.shape.fields, field.shape.container === 'list' ? `${path}[]` : path);
    const mark = field.shape.limits === undefined ? 'read' : 'partly';
    return inner.length > 0 ? inner : [{ path, mark }];
  });
}

/** A body of `/services/create` with `value` in the field. */
export function bodyWith(path: string, value: unknown): Record<string, unknown> {
  const inner = path
    .split('.')
    .reverse()
    .reduce<unknown>(
      (within, name) => (name.endsWith('[]') ? { [name.slice(0, -2)]: [within] } : { [name]: within }),
      value,
    );
  return serviceBody(inner as Record<string, unknown>); // the last name made it an object
}

/**
 * What stands in a JSON document behind names separated by spaces; in a list a name is a number, or the
 * Target or Name of an entry.
 */
export function valueAt(document: unknown, path: string): unknown {
  return path.split(' ').reduce<unknown>((within, name) => {
    if (Array.isArray(within)) return within[Number(name)] ?? within.find((entry) => isNamed(entry, name));
    return typeof within === 'object' && within !== null ? Reflect.get(within, name) : undefined;
  }, document);
}

const isNamed = (entry: unknown, name: string): boolean =>
  typeof entry === 'object' &&
  entry !== null &&
  [Reflect.get(entry, 'Target'), Reflect.get(entry, 'Name')].includes(name);
