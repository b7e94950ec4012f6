import type { Privileges } from './container-spec.js';
import { specError } from './spec-error.js';

/** What the Engine would find wrong on the node, or would ignore. Throws BALE_SPEC_INVALID (400). */
export function checkPrivileges({ SELinuxContext: selinux, Seccomp: seccomp }: Privileges): void {
  if (selinux?.Disable === true && Object.keys(selinux).length > 1) {
    throw specError(
      'ContainerSpec: Privileges: SELinuxContext is disabled, so it can have no user, role, type or level',
    );
  }
  const mode = seccomp?.Mode ?? 'default';
  const profile = seccomp?.Profile;
  if (mode === 'custom' && profile === undefined) {
    throw specError('ContainerSpec: Privileges: the Seccomp mode "custom" needs a Profile');
  }
  if (mode !== 'custom' && profile !== undefined) {
    throw specError(`ContainerSpec: Privileges: a Seccomp Profile needs the mode "custom", not "${mode}"`);
  }
  if (profile !== undefined && seccompProfile(profile) === undefined) {
    throw specError('ContainerSpec: Privileges: the Seccomp Profile is not a JSON object in base64');
  }
}

/** The profile as the Engine wants it, JSON without line breaks; undefined when it is none. */
export function seccompProfile(base64: string): string | undefined {
  try {
    const profile: unknown = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
    const isObject = typeof profile === 'object' && profile !== null && !Array.isArray(profile);
    return isObject ? JSON.stringify(profile) : undefined;
  } catch {
    return undefined;
  }
}
