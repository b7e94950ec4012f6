import type { PortError } from '../../proto/engine/node-document.js';
import type { ServiceStatus } from '../../proto/engine/service-document.js';
import type { ServiceObject } from '../store/objects.js';
import { jsonList } from './json-list.js';
import { serviceDocument } from './service-document.js';

/** What a list shows of a service beside its row. */
export interface ListedWith {
  readonly status?: ServiceStatus;
  readonly portErrors: readonly PortError[];
}

/** The text of each service but for its end, kept as long as its row, which never changes. */
const KEPT = new WeakMap<ServiceObject, string>();

/** The JSON array of these rows as `serviceDocument` shows them without defaults, in pieces. */
export const serviceList = (
  services: readonly ServiceObject[],
  listedWith: (service: ServiceObject) => ListedWith,
): Iterable<string> =>
  jsonList(services, (service, parts) => {
    const { status, portErrors } = listedWith(service);
    parts.push(KEPT.get(service) ?? ownText(service));
    if (status !== undefined) parts.push(',"ServiceStatus":', JSON.stringify(status));
    if (portErrors.length > 0) parts.push(',"portErrors":', JSON.stringify(portErrors));
    parts.push('}');
  });

function ownText(service: ServiceObject): string {
  const text = JSON.stringify(serviceDocument(service, { insertDefaults: false, portErrors: [] })).slice(0, -1);
  KEPT.set(service, text);
  return text;
}
