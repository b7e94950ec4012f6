import { timestamp } from '../../core/clock.js';
import type { ObjectMeta } from '../../proto/engine/object-meta.js';
import type { StoredObject } from '../store/objects.js';

export function objectMeta(row: StoredObject): ObjectMeta {
  const CreatedAt = timestamp(row.createdAt);
  const UpdatedAt = row.updatedAt === row.createdAt ? CreatedAt : timestamp(row.updatedAt);
  return { ID: row.id, Version: { Index: row.version }, CreatedAt, UpdatedAt };
}
