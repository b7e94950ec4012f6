import type { PastSpecDocument, ServiceDocument } from '../../proto/engine/service-document.js';
import type { Context } from '../context.js';
import { readService } from '../update/run-update.js';
import { renderList, type Column } from './list.js';
import { ago } from './relative-time.js';
import { describeChange } from './spec-change.js';

export interface HistoryRow {
  readonly version: number;
  /** RFC 3339. */
  readonly writtenAt: string;
  readonly change: string;
  readonly current: boolean;
}

/** The present spec and those before it, the newest first, each with what it changed. Pure. */
export function historyRows(service: ServiceDocument, past: readonly PastSpecDocument[]): readonly HistoryRow[] {
  const present: PastSpecDocument = { Version: service.Version, UpdatedAt: service.UpdatedAt, Spec: service.Spec };
  const all = [present, ...past];
  return all.map(({ Version, UpdatedAt, Spec }, index) => {
    const before = all[index + 1];
    // The daemon keeps only the last ones: of the oldest it is not known what it changed.
    const first = UpdatedAt === service.CreatedAt ? 'created' : '';
    return {
      version: Version.Index,
      writtenAt: UpdatedAt,
      change: before === undefined ? first : describeChange(before.Spec, Spec),
      current: index === 0,
    };
  });
}

export async function printHistory(
  context: Context,
  name: string,
  flags: { readonly format?: string; readonly quiet?: boolean },
): Promise<void> {
  const client = await context.connect();
  const service = await readService(client, name);
  const past = await client.get<PastSpecDocument[]>(`/bale/services/${service.ID}/history`);
  const rows = historyRows(service, past);
  if (flags.quiet === true) context.print(rows.map(({ version }) => `${version}\n`).join(''));
  else context.print(renderList(columns(flags.format, Date.now()), rows, { format: flags.format }));
}

const columns = (format: string | undefined, now: number): readonly Column<HistoryRow>[] => [
  {
    field: 'Version',
    heading: 'VERSION',
    value: ({ version, current }) =>
      format === undefined || format === 'table' ? `${version}${current ? ' *' : ''}` : String(version),
  },
  { field: 'Current', heading: 'CURRENT', value: ({ current }) => String(current), hidden: true },
  { field: 'Written', heading: 'WRITTEN', value: ({ writtenAt }) => ago(writtenAt, now) },
  { field: 'Change', heading: 'CHANGE', value: ({ change }) => change },
];
