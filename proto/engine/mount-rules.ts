import type { Mount } from './container-spec.js';
import { specError } from './spec-error.js';

/** The rules of SwarmKit and its agents for mounts, templates expanded. Throws BALE_SPEC_INVALID (400). */
export function checkMounts(mounts: readonly Mount[]): void {
  const fault = mountFault(mounts);
  if (fault !== undefined) throw specError(`ContainerSpec: ${fault}`);
}

/** What is wrong with the mounts of a container, by the same rules; undefined when nothing is. */
export function mountFault(mounts: readonly Mount[]): string | undefined {
  const targets = new Set<string>();
  for (const [index, mount] of mounts.entries()) {
    const { Target = '' } = mount;
    const fault = pathFault(mount) ?? optionsFault(mount);
    if (fault !== undefined) return `Mounts[${index}]: ${fault}`;
    if (targets.has(Target)) return `duplicate mount point: ${Target}`;
    targets.add(Target);
  }
  return undefined;
}

function pathFault({ Type: type = 'bind', Target = '', Source = '' }: Mount): string | undefined {
  if (!Target.startsWith('/')) return `invalid mount target, must be an absolute path: ${JSON.stringify(Target)}`;
  if (type === 'bind' && !Source.startsWith('/')) {
    return `invalid bind mount source, must be an absolute path: ${JSON.stringify(Source)}`;
  }
  if (type === 'volume' && Source.startsWith('/')) {
    return `invalid volume mount source, must not be an absolute path: ${Source}`;
  }
  return type === 'tmpfs' && Source !== '' ? 'invalid tmpfs source, source must be empty' : undefined;
}

function optionsFault(mount: Mount): string | undefined {
  const { Type: type = 'bind', BindOptions: bind, VolumeOptions: volume, TmpfsOptions: tmpfs } = mount;
  // Options of another type than the mount's would be ignored by the Engine.
  for (const [kind, given] of Object.entries({ bind, volume, tmpfs })) {
    if (kind !== type && given !== undefined && Object.keys(given).length > 0) {
      return `options of a ${kind} mount do not fit a mount of type ${type}`;
    }
  }
  return tmpfsFault(tmpfs?.Options ?? []) ?? (bind?.CreateMountpoint === true ? creationFault(mount) : undefined);
}

/** They reach the Engine as one line, separated by commas. */
function tmpfsFault(options: readonly (readonly string[])[]): string | undefined {
  const wrong = options.findIndex(
    (option) => option.length < 1 || option.length > 2 || !option.every((word) => /^[^,=\s]+$/.test(word)),
  );
  if (wrong < 0) return undefined;
  return `TmpfsOptions.Options[${wrong}] must be a flag or a name and a value, got ${JSON.stringify(options[wrong])}`;
}

/** Such a mount reaches the Engine as one line too, with colons. */
function creationFault({ Source = '', Target = '', BindOptions }: Mount): string | undefined {
  if (BindOptions?.NonRecursive === true) return 'CreateMountpoint and NonRecursive cannot be combined';
  const hasColon = Source.includes(':') || Target.includes(':');
  return hasColon ? 'with CreateMountpoint no path can have a colon' : undefined;
}
