import type { MeshReport } from '../../proto/session.js';
import type { MeshRole } from '../mesh/messages.js';

export interface PartialReport {
  readonly role: MeshRole;
  readonly report: MeshReport;
}

/**
 * The report of a node from those of its mesh processes, retired ones too: a table counts as applied
 * when all have applied it, and what is under way is the sum. Undefined while none serves.
 */
export function combineReports(parts: readonly PartialReport[]): MeshReport | undefined {
  const serving = parts.filter(({ role }) => role !== 'retired');
  if (serving.length === 0) return undefined;
  // One that was just started lets nothing in before its first table.
  const routing = parts.filter(({ report }) => report.tableNumber > 0);
  const errors = new Map(
    serving.flatMap(({ report }) =>
      report.bindErrors.map((error) => [`${error.protocol} ${error.publishedPort}`, error] as const),
    ),
  );
  const serves = serving.some(({ report }) => report.tableNumber > 0);
  return {
    tableNumber: serves ? Math.min(...routing.map(({ report }) => report.tableNumber)) : 0,
    bindErrors: [...errors.values()],
    inFlight: sumInFlight(parts),
  };
}

/** What is under way in all of them, by task. */
export function sumInFlight(parts: readonly PartialReport[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { report } of parts) {
    for (const [taskId, count] of Object.entries(report.inFlight)) sum[taskId] = (sum[taskId] ?? 0) + count;
  }
  return sum;
}
