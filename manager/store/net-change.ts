import type { TableName } from './objects.js';
import type { CommittedChange } from './store-types.js';

/** What became of a row of `table`; none when it is the row that it was. */
export function netChange(
  table: TableName,
  id: string,
  before: object | undefined,
  after: object | undefined,
): readonly CommittedChange[] {
  if (before === after) return [];
  // Both rows come from `table`; the compiler loses that link when the table is a variable.
  const change = { table, id, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
  return [change as CommittedChange];
}
