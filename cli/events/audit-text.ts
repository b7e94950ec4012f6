import type { AuditDocument } from '../../proto/engine/audit-document.js';
import { table } from '../view/table.js';
import { checkTemplate, renderTemplate } from '../view/template.js';

/** Fields that a line names; the rest are counted. */
const SHOWN = 3;

const FIELDS: readonly (keyof AuditDocument)[] = [
  ...(['time', 'who', 'request', 'action', 'object', 'id', 'name', 'oldVersion', 'newVersion', 'fields'] as const),
];

/** Records as a table, or one by one by a template. */
export function auditText(records: readonly AuditDocument[], format: string | undefined): string {
  if (format === 'json') return records.map((record) => `${JSON.stringify(record)}\n`).join('');
  if (format !== undefined) checkTemplate(format, FIELDS);
  if (format !== undefined) return records.map((record) => `${renderTemplate(format, record)}\n`).join('');
  const header = ['TIME', 'WHO', 'ACTION', 'OBJECT', 'VERSION', 'REQUEST', 'CHANGED'];
  return table([header, ...records.map(row)]);
}

const row = ({ time, who, action, object, id, name, oldVersion, newVersion, request, fields }: AuditDocument) => [
  time,
  who,
  action,
  `${object} ${name === '' ? id : name}`,
  [oldVersion, newVersion].filter((version) => version !== undefined).join(' -> '),
  request,
  fields.length > SHOWN ? `${fields.slice(0, SHOWN).join(', ')} and ${fields.length - SHOWN} more` : fields.join(', '),
];
