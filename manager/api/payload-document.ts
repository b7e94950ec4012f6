import { timestamp } from '../../core/clock.js';
import type { PayloadDocument } from '../../proto/engine/payload-document.js';
import type { PayloadObject } from '../store/objects.js';
import { objectMeta } from './object-meta.js';

/** A row as `GET /secrets` or `GET /configs` shows it: as old as its name. `data` is given of configs only. */
export function payloadDocument(row: PayloadObject, data?: Buffer): PayloadDocument {
  const meta = objectMeta(row);
  const CreatedAt = row.firstCreatedAt === undefined ? meta.CreatedAt : timestamp(row.firstCreatedAt);
  const Spec = data === undefined ? row.spec : { ...row.spec, Data: data.toString('base64') };
  return { ...meta, CreatedAt, Spec, dataVersion: row.dataVersion };
}
