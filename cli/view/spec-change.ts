import type { ContainerSpec } from '../../proto/engine/container-spec.js';
import type { PortConfig, ServiceSpec } from '../../proto/engine/service-spec.js';
import type { TaskSpec } from '../../proto/engine/task-spec.js';

type Values = ReadonlyMap<string, unknown>;

/**
 * What changed from one spec to the next, in one line: `image web:1 → web:2, env +LOG -TRACE`. Values
 * of the environment and of labels are left out, they may be secret.
 */
export function describeChange(before: ServiceSpec, after: ServiceSpec): string {
  const changes = [
    ...scalar('image', container(before).Image, container(after).Image),
    ...scalar('replicas', before.Mode.Replicated?.Replicas ?? 1, after.Mode.Replicated?.Replicas ?? 1),
    ...keyed('env', variables(container(before)), variables(container(after))),
    ...keyed('labels', entries(before.Labels), entries(after.Labels)),
    ...keyed('container labels', entries(container(before).Labels), entries(container(after).Labels)),
    ...keyed('ports', ports(before), ports(after)),
    ...keyed('mounts', mounts(container(before)), mounts(container(after))),
    ...((before.TaskTemplate.ForceUpdate ?? 0) === (after.TaskTemplate.ForceUpdate ?? 0) ? [] : ['restart']),
    ...others(container(before), container(after), CONTAINER_SHOWN),
    ...others(before.TaskTemplate, after.TaskTemplate, TASK_SHOWN),
    ...others(before, after, SPEC_SHOWN),
  ];
  return changes.length === 0 ? 'nothing' : changes.join(', ');
}

/** Shown above, with what changed in them. */
const CONTAINER_SHOWN: readonly (keyof ContainerSpec)[] = ['Image', 'Env', 'Labels', 'Mounts'];
const TASK_SHOWN: readonly (keyof TaskSpec)[] = ['ContainerSpec', 'ForceUpdate'];
const SPEC_SHOWN: readonly (keyof ServiceSpec)[] = ['Labels', 'TaskTemplate', 'Mode', 'EndpointSpec'];

const container = (spec: ServiceSpec): ContainerSpec => spec.TaskTemplate.ContainerSpec;

const entries = (map: Readonly<Record<string, string>> | undefined): Values => new Map(Object.entries(map ?? {}));

const variables = ({ Env = [] }: ContainerSpec): Values =>
  new Map(Env.map((line) => [line.split('=', 1)[0] ?? '', line]));

const mounts = ({ Mounts = [] }: ContainerSpec): Values => new Map(Mounts.map((mount) => [mount.Target ?? '', mount]));

const ports = ({ EndpointSpec }: ServiceSpec): Values =>
  new Map((EndpointSpec?.Ports ?? []).map((port) => [portText(port), port.PublishMode ?? 'ingress']));

function portText({ PublishedPort = 0, TargetPort = 0, Protocol = 'tcp' }: PortConfig): string {
  const published = PublishedPort === 0 ? '' : `${PublishedPort}:`;
  return `${published}${TargetPort}${Protocol === 'tcp' ? '' : `/${Protocol}`}`;
}

const scalar = (name: string, before: string | number, after: string | number): readonly string[] =>
  before === after ? [] : [`${name} ${before} → ${after}`];

/** `+` new, `-` gone, `~` changed. */
function keyed(name: string, before: Values, after: Values): readonly string[] {
  const marks = [
    ...[...after.keys()].flatMap((key) => {
      if (!before.has(key)) return [`+${key}`];
      return isSame(before.get(key), after.get(key)) ? [] : [`~${key}`];
    }),
    ...[...before.keys()].filter((key) => !after.has(key)).map((key) => `-${key}`),
  ];
  return marks.length === 0 ? [] : [`${name} ${marks.join(' ')}`];
}

/** Names of fields that differ. */
function others<T extends object>(before: T, after: T, shown: readonly (keyof T & string)[]): readonly string[] {
  const [left, right] = [
    new Map<string, unknown>(Object.entries(before)),
    new Map<string, unknown>(Object.entries(after)),
  ];
  const names = new Set([...left.keys(), ...right.keys()]);
  for (const name of shown) names.delete(name);
  return [...names].filter((name) => !isSame(left.get(name), right.get(name))).sort();
}

const isSame = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);

/** JSON with sorted keys: the order of keys says nothing. */
function canonical(value: unknown): string {
  if (value === undefined) return '';
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
