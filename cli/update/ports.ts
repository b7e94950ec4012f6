import type { PortConfig } from '../../proto/engine/service-spec.js';
import { parsePublish } from '../flags/publish.js';

/**
 * Published ports. `rm` names a target port, with its protocol and mode where they are not tcp and
 * ingress; a published port in it is of no account. Sorted.
 */
export function patchPorts(
  current: readonly PortConfig[] | undefined,
  add: readonly string[] = [],
  remove: readonly string[] = [],
): PortConfig[] {
  const gone = new Set(remove.flatMap(parsePublish).map(targetOf));
  const ports = new Map<string, PortConfig>();
  const kept = (current ?? []).filter((port) => !gone.has(targetOf(port)));
  for (const port of [...kept, ...add.flatMap(parsePublish)]) {
    const key = `${port.PublishedPort ?? 0}:${targetOf(port)}`;
    if (!ports.has(key)) ports.set(key, port);
  }
  return [...ports].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, port]) => port);
}

const targetOf = ({ TargetPort = 0, Protocol = 'tcp', PublishMode = 'ingress' }: PortConfig): string =>
  `${TargetPort}/${Protocol}/${PublishMode}`;
