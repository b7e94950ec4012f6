import type { Mount } from '../../proto/engine/container-spec.js';

/** The three places of a HostConfig where mounts can stand; absent where none do. */
export interface HostMounts {
  readonly Mounts?: readonly Mount[];
  /** `source:target:options`. The Engine makes a source that is not there. */
  readonly Binds?: readonly string[];
  /** Options by target. */
  readonly Tmpfs?: Readonly<Record<string, string>>;
}

/**
 * Where each mount of a task goes. Engines of API 1.41 know neither `CreateMountpoint` nor the options of
 * a tmpfs in `Mounts`, and have both in the older forms.
 */
export function hostMounts(mounts: readonly Mount[]): HostMounts {
  const isBind = (mount: Mount): boolean => mount.BindOptions?.CreateMountpoint === true;
  const isTmpfs = (mount: Mount): boolean => (mount.TmpfsOptions?.Options ?? []).length > 0;
  const plain = mounts.filter((mount) => !isBind(mount) && !isTmpfs(mount));
  const binds = mounts.filter(isBind).map(bindLine);
  const tmpfs = mounts.filter(isTmpfs).map((mount) => [mount.Target ?? '', tmpfsLine(mount)] as const);
  return {
    ...(plain.length === 0 ? {} : { Mounts: plain }),
    ...(binds.length === 0 ? {} : { Binds: binds }),
    ...(tmpfs.length === 0 ? {} : { Tmpfs: Object.fromEntries(tmpfs) }),
  };
}

function bindLine({ Source = '', Target = '', ReadOnly, BindOptions }: Mount): string {
  const options = [
    ...(ReadOnly === true ? ['ro'] : []),
    ...(BindOptions?.Propagation === undefined ? [] : [BindOptions.Propagation]),
  ];
  return [Source, Target, ...(options.length === 0 ? [] : [options.join(',')])].join(':');
}

function tmpfsLine({ ReadOnly, TmpfsOptions = {} }: Mount): string {
  const { SizeBytes, Mode, Options = [] } = TmpfsOptions;
  return [
    ...(ReadOnly === true ? ['ro'] : []),
    ...(SizeBytes === undefined ? [] : [`size=${SizeBytes}`]),
    ...(Mode === undefined ? [] : [`mode=${Mode.toString(8)}`]),
    ...Options.map((option) => option.join('=')),
  ].join(',');
}
