import { timestamp } from '../../core/clock.js';
import { BaleError } from '../../core/errors.js';
import type { AuditDocument } from '../../proto/engine/audit-document.js';
import { actorText } from '../audit/audit-record.js';
import type { AuditObject } from '../store/objects.js';
import type { View } from '../store/store-types.js';

/** The query of `GET /bale/audit`, as sent. */
export interface AuditQuery {
  /** `SECONDS[.FRACTION]` since the epoch, both ends included. */
  readonly since: string | undefined;
  readonly until: string | undefined;
  /** Type, beginning of the id, or name of what was changed. */
  readonly object: string | undefined;
  /** The beginning of who changed it. */
  readonly who: string | undefined;
  /** The newest so many. */
  readonly limit: string | undefined;
}

/** The records that are asked for, the oldest first. Throws BALE_AUDIT_INVALID. */
export function readAudit(view: Pick<View, 'all'>, query: AuditQuery): readonly AuditDocument[] {
  const since = timeOf('since', query.since) ?? Number.NEGATIVE_INFINITY;
  const until = timeOf('until', query.until) ?? Number.POSITIVE_INFINITY;
  if (since > until) throw invalid('since', query.since ?? '', `is after until, ${JSON.stringify(query.until ?? '')}`);
  const limit = limitOf(query.limit);
  const found = view
    .all('audit')
    .filter((row) => row.createdAt >= since && row.createdAt <= until && isAbout(row, query.object ?? ''))
    .map(auditDocument)
    .filter(({ who }) => who.startsWith(query.who ?? ''));
  return limit === undefined ? found : found.slice(Math.max(0, found.length - limit));
}

const isAbout = ({ spec: { object, objectId, name } }: AuditObject, wanted: string): boolean =>
  wanted === '' || object === wanted || name === wanted || objectId.startsWith(wanted);

function auditDocument({ createdAt, spec }: AuditObject): AuditDocument {
  const { who, request, action, object, objectId, name, oldVersion, newVersion, fields } = spec;
  return {
    time: timestamp(createdAt),
    who: actorText(who),
    request,
    action,
    object,
    id: objectId,
    name,
    ...(oldVersion === undefined ? {} : { oldVersion }),
    ...(newVersion === undefined ? {} : { newVersion }),
    fields,
  };
}

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,12}(\.\d{1,9})?$/.test(text)) return Number(text) * 1_000;
  throw invalid(name, text, 'is not a time of the form SECONDS[.FRACTION] since 1970');
}

function limitOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw invalid('limit', text, 'must be a whole number from 1');
}

const invalid = (name: string, text: string, rule: string): BaleError =>
  new BaleError(`${name}: ${JSON.stringify(text.slice(0, 80))} ${rule}`, {
    kind: 'invalid',
    code: 'BALE_AUDIT_INVALID',
  });
