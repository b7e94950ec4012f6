import type { ContainerSpec } from '../../proto/engine/container-spec.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';
import type { PayloadRef } from '../../proto/payload.js';
import type { PayloadObject, ServiceObject } from '../store/objects.js';

type Kind = Exclude<PayloadRef['kind'], 'registry-auth'>;

/**
 * Each version of a secret or config is a row of its own, and services refer to rows by id. So a new
 * version is a change of the services' specs, which the updater rolls out, and a rollback refers to
 * the old row again. Under its name the newest version is meant.
 */

/** The rows of one name, the newest first. */
export const versionsOf = (rows: readonly PayloadObject[], name: string): readonly PayloadObject[] =>
  rows.filter((row) => row.spec.Name === name).sort((a, b) => b.dataVersion - a.dataVersion);

/** The newest row of each name, in the order of `rows`. */
export function newestOf(rows: readonly PayloadObject[]): readonly PayloadObject[] {
  const newest = new Map<string, PayloadObject>();
  for (const row of rows) {
    const known = newest.get(row.spec.Name);
    if (known === undefined || known.dataVersion < row.dataVersion) newest.set(row.spec.Name, row);
  }
  return rows.filter((row) => newest.get(row.spec.Name) === row);
}

/** Ids of the secrets or configs that a spec refers to. */
export const referencedIds = (kind: Kind, { TaskTemplate }: ServiceSpec): readonly string[] =>
  kind === 'secret'
    ? (TaskTemplate.ContainerSpec.Secrets ?? []).map(({ SecretID }) => SecretID)
    : (TaskTemplate.ContainerSpec.Configs ?? []).map(({ ConfigID }) => ConfigID);

/**
 * Services that need one of `ids` now: by their spec, or by the spec that a rollout under way may go
 * back to by itself.
 */
export const usersOf = (
  kind: Kind,
  ids: ReadonlySet<string>,
  services: readonly ServiceObject[],
): readonly ServiceObject[] =>
  services.filter(({ spec, previousSpec, rollout }) =>
    [spec, ...(rollout === undefined || previousSpec === undefined ? [] : [previousSpec])].some((one) =>
      referencedIds(kind, one).some((id) => ids.has(id)),
    ),
  );

/** The spec with each reference to one of `ids` led to `newId`; all else is the same. */
export function referTo(kind: Kind, spec: ServiceSpec, ids: ReadonlySet<string>, newId: string): ServiceSpec {
  const { ContainerSpec: container } = spec.TaskTemplate;
  const changed: ContainerSpec =
    kind === 'secret'
      ? {
          ...container,
          Secrets: (container.Secrets ?? []).map((one) => (ids.has(one.SecretID) ? { ...one, SecretID: newId } : one)),
        }
      : {
          ...container,
          Configs: (container.Configs ?? []).map((one) => (ids.has(one.ConfigID) ? { ...one, ConfigID: newId } : one)),
        };
  return { ...spec, TaskTemplate: { ...spec.TaskTemplate, ContainerSpec: changed } };
}

/** Older versions that no service can come back to: neither spec nor history refers to them. */
export function retiredIds(
  kind: Kind,
  rows: readonly PayloadObject[],
  services: readonly ServiceObject[],
): readonly string[] {
  const newest = new Set(newestOf(rows));
  const older = rows.filter((row) => !newest.has(row));
  if (older.length === 0) return [];
  const kept = new Set(
    services.flatMap(({ spec, previousSpec, history = [] }) =>
      [spec, ...(previousSpec === undefined ? [] : [previousSpec]), ...history.map((past) => past.spec)].flatMap(
        (one) => referencedIds(kind, one),
      ),
    ),
  );
  return older.filter(({ id }) => !kept.has(id)).map(({ id }) => id);
}
