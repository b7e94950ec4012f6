import type { Mount } from './container-spec.js';
import { specError } from './spec-error.js';

/** The rules of SwarmKit and its agents for mounts, templates expanded. Throws BALE_SPEC_INVALID (400). */
export function checkMounts(mounts: readonly Mount[]): void {
  const targets = new Set<string>();
  for (const [index, mount] of mounts.entries()) {
    const where = `ContainerSpec: Mounts[${index}]`;
    const { Type: type = 'bind', Target = '', Source = '' } = mount;
    if (!Target.startsWith('/')) {
      throw specError(`${where}: invalid mount target, must be an absolute path: ${JSON.stringify(Target)}`);
    }
    if (targets.has(Target)) throw specError(`ContainerSpec: duplicate mount point: ${Target}`);
    targets.add(Target);
    if (type === 'bind' && !Source.startsWith('/')) {
      throw specError(`${where}: invalid bind mount source, must be an absolute path: ${JSON.stringify(Source)}`);
    }
    if (type === 'volume' && Source.startsWith('/')) {
      throw specError(`${where}: invalid volume mount source, must not be an absolute path: ${Source}`);
    }
    if (type === 'tmpfs' && Source !== '') throw specError(`${where}: invalid tmpfs source, source must be empty`);
    checkOptionKinds(where, type, mount);
    checkTmpfs(where, mount.TmpfsOptions?.Options ?? []);
    if (mount.BindOptions?.CreateMountpoint === true) checkCreated(where, mount);
  }
}

/** Options of another type than the mount's would be ignored by the Engine. */
function checkOptionKinds(where: string, type: NonNullable<Mount['Type']>, mount: Mount): void {
  const options = { bind: mount.BindOptions, volume: mount.VolumeOptions, tmpfs: mount.TmpfsOptions };
  for (const [kind, given] of Object.entries(options)) {
    if (kind !== type && given !== undefined && Object.keys(given).length > 0) {
      throw specError(`${where}: options of a ${kind} mount do not fit a mount of type ${type}`);
    }
  }
}

/** They reach the Engine as one line, separated by commas. */
function checkTmpfs(where: string, options: readonly (readonly string[])[]): void {
  for (const [index, option] of options.entries()) {
    const isShort = option.length === 1 || option.length === 2;
    if (!isShort || !option.every((word) => /^[^,=\s]+$/.test(word))) {
      throw specError(
        `${where}: TmpfsOptions.Options[${index}] must be a flag or a name and a value, got ${JSON.stringify(option)}`,
      );
    }
  }
}

/** Such a mount reaches the Engine as one line too, with colons. */
function checkCreated(where: string, { Source = '', Target = '', BindOptions }: Mount): void {
  if (BindOptions?.NonRecursive === true) {
    throw specError(`${where}: CreateMountpoint and NonRecursive cannot be combined`);
  }
  if (Source.includes(':') || Target.includes(':')) {
    throw specError(`${where}: with CreateMountpoint no path can have a colon`);
  }
}
