import type { ContainerSpec, HealthConfig, Mount } from './container-spec.js';
import { FieldRefused } from './decode.js';
import { checkFileReferences } from './file-references.js';
import { isImageReference } from './image-reference.js';
import { specError } from './spec-error.js';

const MILLISECOND = 1e6;
const PATH = 'TaskTemplate.ContainerSpec';
const PROBES = ['NONE', 'CMD', 'CMD-SHELL'];

/** The longest duration that a timer can hold (2^31 - 1 ms), in ns. */
export const LONGEST_DURATION = 2_147_483_647 * MILLISECOND;

/**
 * What SwarmKit checks of a ContainerSpec, in its words, and what would only fail on the node
 * otherwise. Throws BALE_SPEC_INVALID (400) or FieldRefused (501).
 */
export function checkContainer(container: ContainerSpec): void {
  const { Image } = container;
  if (Image === '') throw specError('ContainerSpec: image reference must be provided');
  if (!isImageReference(Image)) {
    throw specError(`ContainerSpec: ${JSON.stringify(Image)} is not a valid repository/tag`);
  }
  checkMounts(container.Mounts ?? []);
  checkHealth(container.Healthcheck ?? {});
  const grace = container.StopGracePeriod ?? 0;
  if (grace < 0) throw specError('ContainerSpec: StopGracePeriod cannot be negative');
  if (grace > LONGEST_DURATION) throw specError('ContainerSpec: StopGracePeriod cannot be longer than 24 days');
  for (const [index, host] of (container.Hosts ?? []).entries()) {
    if (!/^\S+\s+\S/.test(host)) {
      throw specError(`ContainerSpec: Hosts[${index}] must be "IP host", got ${JSON.stringify(host)}`);
    }
  }
  for (const [index, variable] of (container.Env ?? []).entries()) {
    // The text may be a secret: only its place is named.
    if (!/^[^=]/.test(variable)) throw specError(`ContainerSpec: Env[${index}] has no name before its "="`);
  }
  for (const label of Object.keys(container.Labels ?? {})) {
    if (label.startsWith('bale.')) {
      throw specError(`ContainerSpec: Labels: "${label}" is a setting of the service; put it in the service's labels`);
    }
  }
  checkFileReferences(container);
  refuseTemplates(container);
}

function checkMounts(mounts: readonly Mount[]): void {
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
    checkMountOptions(where, type, mount);
  }
}

/** Options of another type than the mount's would be ignored by the Engine. */
function checkMountOptions(where: string, type: NonNullable<Mount['Type']>, mount: Mount): void {
  const options = { bind: mount.BindOptions, volume: mount.VolumeOptions, tmpfs: mount.TmpfsOptions };
  for (const [kind, given] of Object.entries(options)) {
    if (kind !== type && given !== undefined && Object.keys(given).length > 0) {
      throw specError(`${where}: options of a ${kind} mount do not fit a mount of type ${type}`);
    }
  }
}

function checkHealth(health: HealthConfig): void {
  for (const name of ['Interval', 'Timeout', 'StartPeriod'] as const) {
    const value = health[name] ?? 0;
    if (value !== 0 && value < MILLISECOND) {
      throw specError(`ContainerSpec: ${name} in HealthConfig cannot be less than 1ms`);
    }
  }
  if ((health.Retries ?? 0) < 0) throw specError('ContainerSpec: Retries in HealthConfig cannot be negative');
  const probe = health.Test?.[0];
  if (probe !== undefined && !PROBES.includes(probe)) {
    throw specError(
      `ContainerSpec: Test in HealthConfig must begin with ${PROBES.join(', ')}, not ${JSON.stringify(probe)}`,
    );
  }
}

/** SwarmKit's agents expand Go templates in these fields: passing them on as they are would be a silent change. */
function refuseTemplates(container: ContainerSpec): void {
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['Hostname', container.Hostname],
    ...(container.Env ?? []).map((variable, index) => [`Env[${index}]`, variable] as const),
    ...(container.Mounts ?? []).flatMap((mount, index) => [
      [`Mounts[${index}].Source`, mount.Source] as const,
      [`Mounts[${index}].Target`, mount.Target] as const,
    ]),
  ];
  for (const [name, value] of fields) {
    if (value?.includes('{{') === true) {
      throw new FieldRefused(`A template in ${PATH}.${name}`, 'bale does not expand {{…}} in this version');
    }
  }
}
