import type { ContainerSpec, HealthConfig } from './container-spec.js';
import { checkFileReferences } from './file-references.js';
import { isImageReference } from './image-reference.js';
import { checkMounts } from './mount-rules.js';
import { checkPrivileges } from './privileges-rules.js';
import { specError } from './spec-error.js';
import { dryExpansion } from './template-rules.js';

const MILLISECOND = 1e6;
const PROBES = ['NONE', 'CMD', 'CMD-SHELL'];
const LARGEST_OOM_SCORE = 1000;

/** The longest duration that a timer can hold (2^31 - 1 ms), in ns. */
export const LONGEST_DURATION = 2_147_483_647 * MILLISECOND;

/**
 * What SwarmKit checks of a ContainerSpec, in its words, and what would only fail on the node
 * otherwise, for a service with these labels. Throws BALE_SPEC_INVALID (400) or FieldRefused (501).
 */
export function checkContainer(container: ContainerSpec, labels: Readonly<Record<string, string>>): void {
  const { Image } = container;
  if (Image === '') throw specError('ContainerSpec: image reference must be provided');
  if (!isImageReference(Image)) {
    throw specError(`ContainerSpec: ${JSON.stringify(Image)} is not a valid repository/tag`);
  }
  const expanded = dryExpansion(container, labels);
  checkMounts(expanded.Mounts ?? []);
  checkPrivileges(container.Privileges ?? {});
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
  const score = container.OomScoreAdj ?? 0;
  if (Math.abs(score) > LARGEST_OOM_SCORE) {
    throw specError(`ContainerSpec: Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
  }
  checkFileReferences(expanded);
}

function checkHealth(health: HealthConfig): void {
  for (const name of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
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
