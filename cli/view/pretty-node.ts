import type { NodeDocument } from '../../proto/engine/node-document.js';
import { capital } from './task-list.js';

/** `node inspect --pretty`. */
export function prettyNode(node: NodeDocument): string {
  const { Description, Spec, Status, ManagerStatus } = node;
  const lines = [
    `ID:\t\t\t${node.ID}`,
    ...labels(Spec.Labels),
    `Hostname:              \t${Description.Hostname}`,
    `Joined at:             \t${node.CreatedAt.replace('T', ' ').replace('Z', ' +0000 utc')}`,
    'Status:',
    ` State:\t\t\t${capital(Status.State)}`,
    ...(Status.Message === undefined || Status.Message === '' ? [] : [` Message:\t\t${Status.Message}`]),
    ` Availability:         \t${capital(Spec.Availability)}`,
    ` Address:\t\t${Status.Addr}`,
    ...(node.portErrors ?? []).map(({ publishedPort, error, notice }) =>
      notice === true ? ` Port notice:\t\t${publishedPort} is ${error}` : ` Port error:\t\t${error}`,
    ),
    ...drainLines(node.drain),
    ...(ManagerStatus === undefined
      ? []
      : [
          'Manager Status:',
          ` Address:\t\t${ManagerStatus.Addr}`,
          ` Reachability:\t\t${capital(ManagerStatus.Reachability)}`,
          ` Leader:\t\t${ManagerStatus.Leader === true ? 'Yes' : 'No'}`,
        ]),
    'Platform:',
    ` Operating System:\t${Description.Platform.OS ?? ''}`,
    ` Architecture:\t\t${Description.Platform.Architecture ?? ''}`,
    'Resources:',
    ` CPUs:\t\t\t${(Description.Resources.NanoCPUs ?? 0) / 1e9}`,
    ` Memory:\t\t${gibibytes(Description.Resources.MemoryBytes ?? 0)}`,
    'Engine Version:\t\t' + Description.Engine.EngineVersion,
  ];
  return `${lines.join('\n')}\n`;
}

const labels = (map: Readonly<Record<string, string>>): readonly string[] => {
  const entries = Object.entries(map).sort();
  return entries.length === 0 ? [] : ['Labels:', ...entries.map(([key, value]) => ` - ${key}=${value}`)];
};

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2).replace(/\.?0+$/, '')}GiB`;

function drainLines(drain: NodeDocument['drain']): readonly string[] {
  if (drain === undefined) return [];
  return [
    'Drain:',
    ` Since:\t\t\t${drain.since}`,
    ` Tasks left:\t\t${drain.tasksLeft}`,
    ...(drain.deadline === undefined ? [] : [` Deadline:\t\t${drain.deadline}`]),
    ...(drain.maxParallel === undefined ? [] : [` Moved at once:\t\t${drain.maxParallel}`]),
  ];
}
