import { checkTemplate, renderTemplate } from './template.js';
import { table } from './table.js';

/** One column of a list: the field name that templates use, and the heading. */
export interface Column<Row> {
  readonly field: string;
  readonly heading: string;
  readonly value: (row: Row) => string;
  /** Not in the default table. */
  readonly hidden?: boolean;
}

export interface ListOptions {
  /** docker's `--format`: `table`, `json`, `table TEMPLATE` or TEMPLATE. */
  readonly format?: string | undefined;
}

/** Renders rows as docker does: a table, one JSON document a line, or one template line a row. */
export function renderList<Row>(columns: readonly Column<Row>[], rows: readonly Row[], options: ListOptions): string {
  const { format = 'table' } = options;
  const shown = columns.filter((column) => column.hidden !== true);
  if (format === 'table') {
    return table([shown.map(({ heading }) => heading), ...rows.map((row) => shown.map(({ value }) => value(row)))]);
  }
  const documents = rows.map((row) => Object.fromEntries(columns.map(({ field, value }) => [field, value(row)])));
  if (format !== 'json') {
    checkTemplate(
      format,
      columns.map(({ field }) => field),
    );
  }
  if (format === 'json') return documents.map((document) => `${JSON.stringify(document)}\n`).join('');
  if (!format.startsWith('table '))
    return documents.map((document) => `${renderTemplate(format, document)}\n`).join('');
  const template = format.slice('table '.length);
  const headings = Object.fromEntries(columns.map(({ field, heading }) => [field, heading]));
  return table([headings, ...documents].map((document) => renderTemplate(template, document).split('\t')));
}
