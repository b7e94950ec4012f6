import { timestamp } from '../../core/clock.js';
import type { ObjectMeta } from '../../proto/engine/object-meta.js';
import type { StoredObject } from '../store/objects.js';

export const objectMeta = (row: StoredObject): ObjectMeta => ({
  ID: row.id,
  Version: { Index: row.version },
  CreatedAt: timestamp(row.createdAt),
  UpdatedAt: timestamp(row.updatedAt),
});
