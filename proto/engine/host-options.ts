/**
 * What a container has of its machine beyond what the Engine API's services know. From the labels of
 * its service; a task keeps what it was made with.
 */
export interface HostOptions {
  readonly devices?: readonly HostDevice[];
  readonly gpus?: Gpus;
  readonly privileged?: true;
  /** Bytes. */
  readonly shmSize?: number;
  readonly pid?: 'host';
  readonly ipc?: 'host' | 'private' | 'shareable' | 'none';
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
}

export interface HostDevice {
  readonly source: string;
  readonly target: string;
  /** Some of `r`, `w` and `m` (mknod). */
  readonly access: string;
}

export type Gpus = { readonly count: number | 'all' } | { readonly ids: readonly string[] };

/** Power over its node that a manager must allow before a container gets it (`bale daemon --allow`). */
export const HOST_POWERS = ['privileged', 'devices', 'gpus', 'host-pid', 'host-ipc'] as const;
export type HostPower = (typeof HOST_POWERS)[number];

/** Options that such power comes from, with what they give. */
export function powersOf({ privileged, devices, gpus, pid, ipc }: HostOptions): readonly PowerUse[] {
  return [
    use(
      privileged,
      'privileged',
      'bale.privileged',
      'every device and every capability: such a container can take its node over',
    ),
    use(devices, 'devices', 'bale.devices', 'devices of its node'),
    use(gpus, 'gpus', 'bale.gpus', 'GPUs of its node, which it may share with others'),
    use(pid, 'host-pid', 'bale.pid', 'sight of every process of its node'),
    use(ipc === 'host' ? ipc : undefined, 'host-ipc', 'bale.ipc', 'the shared memory of the processes of its node'),
  ].filter((found) => found !== undefined);
}

export interface PowerUse {
  readonly power: HostPower;
  readonly label: string;
  readonly gives: string;
}

const use = (option: unknown, power: HostPower, label: string, gives: string): PowerUse | undefined =>
  option === undefined ? undefined : { power, label, gives };

/** Why a container with these options may not run; undefined when the manager allows all of it. */
export function refusedPower(options: HostOptions | undefined, allowed: ReadonlySet<HostPower>): string | undefined {
  const refused = options === undefined ? [] : powersOf(options).filter(({ power }) => !allowed.has(power));
  if (refused.length === 0) return undefined;
  const what = refused.map(({ label, gives }) => `label "${label}" gives the container ${gives}`).join('; ');
  const flag = refused.map(({ power }) => power).join(',');
  return `${what}. The manager does not allow it: start its daemon with --allow ${flag}`;
}
