import type { ClusterObject, NodeObject, PayloadObject, ServiceObject, StoredObject } from '../store/objects.js';
import type { CommittedChange } from '../store/store-types.js';
import type { AuditedObject, AuditRecord, ChangeRequest } from './audit-record.js';
import { changedPaths } from './changed-paths.js';

/** The name of the one cluster object, as the Engine has it. */
const CLUSTER_NAME = 'default';

/**
 * What one transaction of a request changed, an object a record. Tasks are what the cluster does for a
 * service: they are recorded only as that of their service, and only where nothing else was changed.
 */
export function describeChange(changes: readonly CommittedChange[], request: ChangeRequest): readonly AuditRecord[] {
  const records: AuditRecord[] = [];
  const ofTasks = new Map<string, AuditRecord>();
  for (const change of changes) {
    switch (change.table) {
      case 'audit':
        break;
      case 'task': {
        const { serviceId, serviceName } = change.after ?? change.before ?? {};
        if (serviceId === undefined || serviceName === undefined) break;
        const about = { object: 'service', objectId: serviceId, name: serviceName } as const;
        ofTasks.set(serviceId, { ...request, ...about, action: 'update', fields: ['tasks'] });
        break;
      }
      case 'cluster':
        add(records, request, 'cluster', change, () => CLUSTER_NAME, clusterFields);
        break;
      case 'node':
        add(records, request, 'node', change, nodeName, nodeFields);
        break;
      case 'service':
        add(records, request, 'service', change, ({ spec }) => spec.Name, serviceFields);
        break;
      case 'secret':
      case 'config':
        add(records, request, change.table, change, ({ spec }) => spec.Name, payloadFields);
        break;
    }
  }
  return records.length > 0 ? records : [...ofTasks.values()];
}

interface Rows<Row> {
  readonly id: string;
  readonly before?: Row;
  readonly after?: Row;
}

/** `others` are the fields of an update beside its spec's; undefined: nothing that a client can see is another. */
function add<Row extends StoredObject & { readonly spec: unknown }>(
  records: AuditRecord[],
  request: ChangeRequest,
  object: AuditedObject,
  { id, before, after }: Rows<Row>,
  nameOf: (row: Row) => string,
  others: (before: Row, after: Row) => readonly string[],
): void {
  const row = after ?? before;
  if (row === undefined) return;
  const fields =
    before === undefined || after === undefined
      ? []
      : [...changedPaths(before.spec, after.spec), ...others(before, after)];
  const isSame = before !== undefined && after !== undefined && before.version === after.version;
  if (isSame && fields.length === 0) return;
  records.push({
    ...request,
    action: before === undefined ? 'create' : after === undefined ? 'remove' : 'update',
    object,
    objectId: id,
    name: nameOf(row),
    ...(before === undefined ? {} : { oldVersion: before.version }),
    ...(after === undefined ? {} : { newVersion: after.version }),
    fields,
  });
}

const nodeName = ({ spec, description }: NodeObject): string => spec.Name ?? description?.Hostname ?? '';

const clusterFields = (before: ClusterObject, after: ClusterObject): readonly string[] => [
  ...(before.joinSecrets.worker === after.joinSecrets.worker ? [] : ['JoinTokens.Worker']),
  ...(before.joinSecrets.manager === after.joinSecrets.manager ? [] : ['JoinTokens.Manager']),
  ...(before.rootCertificate === after.rootCertificate ? [] : ['RootCertificate']),
  ...changedClients(before, after),
];

/** Names of those whose certificates were made or revoked. */
function changedClients(before: ClusterObject, after: ClusterObject): readonly string[] {
  const known = new Set(before.clientAccess?.certificates);
  const changed = (after.clientAccess?.certificates ?? []).filter((certificate) => !known.has(certificate));
  return [...new Set(changed.map(({ name }) => `clientCertificates.${name}`))];
}

const nodeFields = (before: NodeObject, after: NodeObject): readonly string[] => [
  ...(before.status.state === after.status.state ? [] : ['Status.State']),
  ...changedPaths({ drain: before.drain }, { drain: after.drain }),
];

const serviceFields = (before: ServiceObject, after: ServiceObject): readonly string[] => [
  ...(before.registryAuth === after.registryAuth ? [] : ['registryAuth']),
  ...(before.job?.iteration === after.job?.iteration ? [] : ['JobStatus.JobIteration']),
];

const payloadFields = (before: PayloadObject, after: PayloadObject): readonly string[] =>
  before.sealed === after.sealed ? [] : ['Data'];
