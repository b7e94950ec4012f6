import type { PortConfig, UpdateConfig } from '../../proto/engine/service-spec.js';
import type { Mount } from '../../proto/engine/container-spec.js';
import type { TaskSpec } from '../../proto/engine/task-spec.js';

export interface OrderChoice {
  readonly order: NonNullable<UpdateConfig['Order']>;
  /** Why start-first cannot work; absent where it can. */
  readonly obstacle?: string;
  /** The user named the order: it is obeyed whatever stands against it. */
  readonly explicit: boolean;
}

/** What a new task of a slot would have to share with the old one. */
export interface Shared {
  readonly spec: TaskSpec;
  readonly hostPorts: readonly PortConfig[];
}

/** The order in which a slot is changed: start-first unless old and new cannot be there at once. */
export function chooseOrder(wanted: UpdateConfig['Order'], shared: Shared): OrderChoice {
  const obstacle = obstacleOf(shared);
  return {
    order: wanted ?? (obstacle === undefined ? 'start-first' : 'stop-first'),
    explicit: wanted !== undefined,
    ...(obstacle === undefined ? {} : { obstacle }),
  };
}

function obstacleOf({ spec, hostPorts }: Shared): string | undefined {
  const port = hostPorts.find(({ PublishedPort = 0 }) => PublishedPort !== 0);
  if (port !== undefined) {
    return `host-mode port ${port.PublishedPort ?? 0}/${port.Protocol ?? 'tcp'} cannot be bound twice`;
  }
  const mount = (spec.ContainerSpec.Mounts ?? []).find(isSharedForWriting);
  if (mount !== undefined) return `${mount.Type ?? 'volume'} ${mount.Source ?? ''} is mounted for writing`;
  const most = spec.Placement?.MaxReplicas ?? 0;
  return most > 0 ? `at most ${most} replicas may run on a node` : undefined;
}

/** An anonymous volume is each task's own. */
const isSharedForWriting = ({ Type, Source = '', ReadOnly = false }: Mount): boolean =>
  Source !== '' && !ReadOnly && (Type === 'bind' || Type === 'volume' || Type === undefined);
