import type { Mount } from '../../proto/engine/container-spec.js';
import type { TaskSpec } from '../../proto/engine/task-spec.js';

/** Options of the driver `local` by which a volume is a share of some server: the same data on every node. */
const SHARED_TYPES: ReadonlySet<string> = new Set(['nfs', 'nfs4', 'cifs', 'smb3', 'ceph', 'glusterfs', '9p']);

/** By the stored list of mounts, which never changes and which the tasks of a service share. */
const KNOWN = new WeakMap<readonly Mount[], readonly string[]>();

const NONE: readonly string[] = [];

/** Names of the volumes of a task whose data is on one node alone. */
export function localVolumes({ ContainerSpec: { Mounts } }: Pick<TaskSpec, 'ContainerSpec'>): readonly string[] {
  if (Mounts === undefined || Mounts.length === 0) return NONE;
  const known = KNOWN.get(Mounts);
  if (known !== undefined) return known;
  const names = [...new Set(Mounts.filter(isLocal).map(({ Source = '' }) => Source))];
  KNOWN.set(Mounts, names);
  return names;
}

/** Without a name a volume ends with its task, and one that is named after its task is no other task's. */
function isLocal({ Type = 'volume', Source = '', VolumeOptions }: Mount): boolean {
  if (Type !== 'volume' || Source === '' || /\{\{[^}]*\.Task\.(?:ID|Name)\b/.test(Source)) return false;
  const { Name = '', Options = {} } = VolumeOptions?.DriverConfig ?? {};
  return (Name === '' || Name === 'local') && !SHARED_TYPES.has(Options.type ?? '');
}
