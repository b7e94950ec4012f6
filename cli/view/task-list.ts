import type { TaskDocument } from '../../proto/engine/task-document.js';
import type { ApiClient } from '../client.js';
import { codeOrder } from './natural-order.js';
import { ago } from './relative-time.js';
import { renderList, type Column } from './list.js';

const SHORT_ID = 12;
const ERROR_WIDTH = 30;

export interface TaskListFlags {
  readonly noTrunc?: boolean;
  readonly noResolve?: boolean;
  readonly quiet?: boolean;
  readonly format?: string;
}

interface Row {
  readonly task: TaskDocument;
  readonly name: string;
  readonly node: string;
}

/** Names by id. */
type Names = ReadonlyMap<string, string>;

/** Names that the caller has read already. */
interface KnownNames {
  readonly services?: Names;
  readonly nodes?: Names;
}

/** `service ps` and `node ps`: present tasks by name, each with its history below, newest first. */
export async function renderTasks(
  client: ApiClient,
  tasks: readonly TaskDocument[],
  flags: TaskListFlags,
  now: number,
  known: KnownNames = {},
): Promise<string> {
  const resolved = flags.noResolve === true ? [] : tasks;
  const [services, nodes] = await Promise.all([
    names(
      resolved.map(({ ServiceID }) => ServiceID),
      known.services,
      (id) => serviceName(client, id),
    ),
    names(
      resolved.flatMap(({ NodeID }) => (NodeID === undefined ? [] : [NodeID])),
      known.nodes,
      (id) => nodeName(client, id),
    ),
  ]);
  const rows = tasks
    .map((task) => ({
      task,
      name: `${services.get(task.ServiceID) ?? task.ServiceID}.${task.Slot ?? task.NodeID ?? ''}`,
      node: task.NodeID === undefined ? '' : (nodes.get(task.NodeID) ?? task.NodeID),
    }))
    .sort(
      (a, b) =>
        codeOrder(services.get(a.task.ServiceID) ?? '', services.get(b.task.ServiceID) ?? '') ||
        (a.task.Slot ?? 0) - (b.task.Slot ?? 0) ||
        (a.task.Slot === undefined ? codeOrder(a.name, b.name) : 0) ||
        codeOrder(b.task.CreatedAt, a.task.CreatedAt),
    )
    .map((row, index, all): Row => (all[index - 1]?.name === row.name ? { ...row, name: ` \\_ ${row.name}` } : row));
  if (flags.quiet === true) return rows.map(({ task }) => `${shortId(task.ID, flags)}\n`).join('');
  return renderList(columns(flags, now), rows, { format: flags.format });
}

const columns = (flags: TaskListFlags, now: number): readonly Column<Row>[] => [
  { field: 'ID', heading: 'ID', value: ({ task }) => shortId(task.ID, flags) },
  { field: 'Name', heading: 'NAME', value: ({ name }) => name },
  { field: 'Image', heading: 'IMAGE', value: ({ task }) => shortImage(task.Spec.ContainerSpec.Image, flags) },
  { field: 'Node', heading: 'NODE', value: ({ node }) => node },
  { field: 'DesiredState', heading: 'DESIRED STATE', value: ({ task }) => capital(task.DesiredState) },
  {
    field: 'CurrentState',
    heading: 'CURRENT STATE',
    value: ({ task }) => `${capital(task.Status.State)} ${ago(task.Status.Timestamp, now)}`,
  },
  { field: 'Error', heading: 'ERROR', value: ({ task }) => quotedError(task.Status.Err ?? '', flags) },
  { field: 'Ports', heading: 'PORTS', value: ({ task }) => hostPorts(task) },
];

const serviceName = async (client: ApiClient, id: string): Promise<string> =>
  (await client.get<{ Spec: { Name: string } }>(`/services/${id}`)).Spec.Name;

const nodeName = async (client: ApiClient, id: string): Promise<string> =>
  (await client.get<{ Description: { Hostname: string } }>(`/nodes/${id}`)).Description.Hostname;

/** Names by id, each asked for once where it is not known; an object that is gone keeps its id. */
async function names(
  ids: readonly string[],
  known: Names = new Map(),
  nameOf: (id: string) => Promise<string>,
): Promise<Names> {
  const unique = [...new Set(ids)];
  return new Map(
    await Promise.all(unique.map(async (id) => [id, known.get(id) ?? (await nameOf(id).catch(() => id))] as const)),
  );
}

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const shortId = (id: string, flags: TaskListFlags): string => (flags.noTrunc === true ? id : id.slice(0, SHORT_ID));

/** Without the digest, as docker shows it. */
const shortImage = (image: string, flags: TaskListFlags): string =>
  flags.noTrunc === true ? image : image.replace(/@sha256:[0-9a-f]+$/, '');

function quotedError(error: string, flags: TaskListFlags): string {
  if (error === '') return '';
  const line = error.replaceAll('\n', ' ');
  return `"${flags.noTrunc === true || line.length <= ERROR_WIDTH ? line : `${line.slice(0, ERROR_WIDTH - 1)}…`}"`;
}

const hostPorts = (task: TaskDocument): string =>
  (task.Status.PortStatus?.Ports ?? [])
    .map(
      ({ PublishedPort, TargetPort, Protocol }) => `*:${PublishedPort ?? 0}->${TargetPort ?? 0}/${Protocol ?? 'tcp'}`,
    )
    .join(',');
