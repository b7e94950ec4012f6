import type { NodeObject, PayloadObject, ServiceObject, TaskObject } from '../store/objects.js';
import type { CommittedChange } from '../store/store-types.js';
import type { EventDraft } from './cluster-event.js';
import { taskName } from '../api/task-document.js';

/** What a commit leaves behind, as far as an event says it. */
export interface EventSurroundings {
  /** Whether a secret or config of this name is left after the commit. */
  isNameLeft(kind: 'secret' | 'config', name: string): boolean;
  hostnameOf(nodeId: string): string | undefined;
}

/**
 * The events of one commit, with the attributes of the Engine's (moby `daemon/events.go`). What bale
 * notes for itself in a row, and no client sees, is no event.
 */
export function describeCommit(changes: readonly CommittedChange[], surroundings: EventSurroundings): EventDraft[] {
  const events: EventDraft[] = [];
  for (const change of changes) events.push(...describeChange(change, changes, surroundings));
  return events;
}

function describeChange(
  change: CommittedChange,
  changes: readonly CommittedChange[],
  surroundings: EventSurroundings,
): readonly EventDraft[] {
  switch (change.table) {
    case 'cluster':
    case 'audit':
      return [];
    case 'service':
      return whole('service', change, serviceName, serviceUpdates);
    case 'node':
      return whole('node', change, nodeName, nodeUpdates);
    case 'secret':
    case 'config':
      return one(describePayload(change, changes, surroundings));
    case 'task':
      return one(describeTask(change, surroundings));
  }
}

const one = (event: EventDraft | undefined): readonly EventDraft[] => (event === undefined ? [] : [event]);

interface Rows<Row> {
  readonly id: string;
  readonly before?: Row;
  readonly after?: Row;
}

type Attributes = Record<string, string>;

/** Events of a row whose name is its only attribute but for what `updates` says, of each event of an update. */
function whole<Row extends ServiceObject | NodeObject>(
  type: 'service' | 'node',
  { id, before, after }: Rows<Row>,
  nameOf: (row: Row) => string,
  updates: (before: Row, after: Row) => readonly Attributes[],
): readonly EventDraft[] {
  const row = after ?? before;
  if (row === undefined) return [];
  const about = { type, id, labels: row.spec.Labels };
  const name = nameOf(row);
  if (before === undefined) return [{ ...about, action: 'create', attributes: { name } }];
  if (after === undefined) return [{ ...about, action: 'remove', attributes: { name } }];
  return updates(before, after).map((changed) => ({ ...about, action: 'update', attributes: { name, ...changed } }));
}

const serviceName = ({ spec }: ServiceObject): string => spec.Name;
const nodeName = ({ spec, description }: NodeObject): string => spec.Name ?? description?.Hostname ?? '';

/**
 * A rollout that begins with the spec that was written is an event of its own, behind that of the spec and
 * without an old state: Swarm clears the state with the new spec, and sets it when it begins. A rollback
 * is one event, as in Swarm.
 */
function serviceUpdates(before: ServiceObject, after: ServiceObject): readonly Attributes[] {
  const written: Attributes = {
    ...difference('image', imageOf(before), imageOf(after)),
    ...difference('replicas', replicasOf(before), replicasOf(after)),
  };
  const [old, state] = [before.updateStatus, after.updateStatus];
  if (before.version !== after.version && old !== state && state?.State === 'updating') {
    return [written, { 'updatestate.new': state.State }];
  }
  const attributes: Attributes = { ...written, ...difference('updatestate', old?.State, state?.State) };
  const isNewRun = before.job?.iteration !== after.job?.iteration;
  const isOther = before.version !== after.version || isNewRun || Object.keys(attributes).length > 0;
  return isOther ? [attributes] : [];
}

const imageOf = ({ spec }: ServiceObject): string => spec.TaskTemplate.ContainerSpec.Image;
const replicasOf = ({ spec }: ServiceObject): string | undefined => spec.Mode.Replicated?.Replicas?.toString();

function nodeUpdates(before: NodeObject, after: NodeObject): readonly Attributes[] {
  const attributes: Attributes = {
    ...difference('availability', before.spec.Availability, after.spec.Availability),
    ...difference('role', before.spec.Role, after.spec.Role),
    ...difference('state', before.status.state, after.status.state),
  };
  const isOther =
    before.version !== after.version || nodeName(before) !== nodeName(after) || Object.keys(attributes).length > 0;
  return isOther ? [attributes] : [];
}

/** New data under a name is an update of it; that an old version is cleared away is nothing to anybody. */
function describePayload(
  change: Extract<CommittedChange, { readonly table: 'secret' | 'config' }>,
  changes: readonly CommittedChange[],
  { isNameLeft }: EventSurroundings,
): EventDraft | undefined {
  const { table: type, id, before, after } = change;
  const row: PayloadObject | undefined = after ?? before;
  if (row === undefined) return undefined;
  const name = row.spec.Name;
  const about = { type, id, labels: row.spec.Labels };
  if (after === undefined) {
    const isNewest = !changes.some(
      (other) => other.table === type && other.before?.spec.Name === name && other.before.dataVersion > row.dataVersion,
    );
    return isNewest && !isNameLeft(type, name) ? { ...about, action: 'remove', attributes: { name } } : undefined;
  }
  if (before !== undefined) {
    return before.version === after.version ? undefined : { ...about, action: 'update', attributes: { name } };
  }
  if (row.dataVersion === 1) return { ...about, action: 'create', attributes: { name } };
  const versions = difference('version', String(row.dataVersion - 1), String(row.dataVersion));
  return { ...about, action: 'update', attributes: { name, ...versions } };
}

function describeTask(
  { id, before, after }: Rows<TaskObject>,
  { hostnameOf }: EventSurroundings,
): EventDraft | undefined {
  const task = after ?? before;
  if (task === undefined) return undefined;
  const nodeId = task.nodeId ?? task.pinnedTo;
  const hostname = nodeId === undefined ? undefined : hostnameOf(nodeId);
  const attributes: Attributes = {
    name: taskName(task),
    'service.id': task.serviceId,
    'service.name': task.serviceName,
    ...(nodeId === undefined ? {} : { 'node.id': nodeId }),
    ...(hostname === undefined ? {} : { 'node.name': hostname }),
  };
  const about = { type: 'task', id, labels: task.serviceLabels } as const;
  if (before === undefined) return { ...about, action: 'create', attributes };
  if (after === undefined) return { ...about, action: 'remove', attributes };
  const isOther =
    before.status.State !== after.status.State ||
    before.desiredState !== after.desiredState ||
    before.nodeId !== after.nodeId;
  if (!isOther) return undefined;
  const error = after.status.Err ?? '';
  const changed: Attributes = {
    ...difference('state', before.status.State, after.status.State),
    ...difference('desiredstate', before.desiredState, after.desiredState),
    ...(error === '' ? {} : { error }),
  };
  return { ...about, action: 'update', attributes: { ...attributes, ...changed } };
}

/** `name.old` and `name.new`, where they differ; an old value that never was is left out, as in the Engine. */
function difference(name: string, before: string | undefined, after: string | undefined): Attributes {
  if (before === after || after === undefined) return {};
  return { ...(before === undefined ? {} : { [`${name}.old`]: before }), [`${name}.new`]: after };
}
