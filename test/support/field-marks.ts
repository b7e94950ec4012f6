import type { Field, FieldTable } from '../../proto/engine/shape.js';

/**
 * One row per field of a document, those within others included, as Markdown. `limits` are those of
 * the document that the fields stand in.
 */
export function fieldRows(fields: FieldTable | undefined, path = '', limits?: string): readonly string[] {
  return Object.entries(fields ?? {}).flatMap(([name, field]) => {
    const here = path === '' ? name : `${path}.${name}`;
    return [`| ${here} | ${mark(field, limits)} |`, ...innerRows(field, here, limits)];
  });
}

function mark(field: Field<unknown>, outer: string | undefined): string {
  if (field.mark === 'refused') return `**no**: ${field.because}`;
  const limits = field.shape.limits ?? outer;
  return limits === undefined ? 'yes' : `in part: ${limits}`;
}

function innerRows(field: Field<unknown>, path: string, outer: string | undefined): readonly string[] {
  if (field.mark === 'refused') return [];
  const { fields, container, limits } = field.shape;
  return fieldRows(fields, container === 'list' ? `${path}[]` : path, limits ?? outer);
}
