import type { NodeDescription } from '../../proto/engine/node-document.js';
import type { GenericResource } from '../../proto/engine/task-spec.js';
import type { LimitInfo } from './engine-limits.js';

/** The part of `GET /info` that a node tells its managers. */
export interface EngineInfo extends LimitInfo {
  readonly ServerVersion: string;
  readonly OSType: string;
  readonly Architecture: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly LoggingDriver: string;
  readonly Labels: readonly string[] | null;
  readonly Plugins: Readonly<Record<string, readonly string[] | null>>;
}

export function nodeDescription(
  info: EngineInfo,
  hostname: string,
  genericResources: readonly GenericResource[] = [],
): NodeDescription {
  const labels = (info.Labels ?? []).map((label): [string, string] => {
    const [key = '', ...value] = label.split('=');
    return [key, value.join('=')];
  });
  return {
    Hostname: hostname,
    Platform: { Architecture: info.Architecture, OS: info.OSType },
    Resources: {
      NanoCPUs: info.NCPU * 1e9,
      MemoryBytes: info.MemTotal,
      ...(genericResources.length === 0 ? {} : { GenericResources: [...genericResources] }),
    },
    Engine: {
      EngineVersion: info.ServerVersion,
      ...(labels.length === 0 ? {} : { Labels: Object.fromEntries(labels) }),
      Plugins: Object.entries(info.Plugins)
        .flatMap(([Type, names]) => (names ?? []).map((Name) => ({ Type, Name })))
        .sort((a, b) => a.Type.localeCompare(b.Type) || a.Name.localeCompare(b.Name)),
    },
  };
}
