import type { Privileges } from '../../proto/engine/container-spec.js';
import { seccompProfile } from '../../proto/engine/privileges-rules.js';

/** `HostConfig.SecurityOpt` for a task's privileges, as Swarm's own executor writes it; undefined when all is the Engine's default. */
export function securityOptions(privileges: Privileges | undefined): readonly string[] | undefined {
  const { SELinuxContext: selinux = {}, Seccomp: seccomp, AppArmor: armor, NoNewPrivileges } = privileges ?? {};
  const labels: readonly (readonly [string, string | undefined])[] = [
    ['user', selinux.User],
    ['role', selinux.Role],
    ['level', selinux.Level],
    ['type', selinux.Type],
  ];
  const options = [
    ...(selinux.Disable === true ? ['label=disable'] : []),
    ...labels.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [`label=${name}:${value}`])),
    ...seccompOption(seccomp),
    ...(armor?.Mode === 'disabled' ? ['apparmor=unconfined'] : []),
    ...(NoNewPrivileges === true ? ['no-new-privileges=true'] : []),
  ];
  return options.length === 0 ? undefined : options;
}

function seccompOption(seccomp: Privileges['Seccomp']): readonly string[] {
  switch (seccomp?.Mode) {
    case 'unconfined':
      return ['seccomp=unconfined'];
    case 'custom':
      // The manager has read it; a text that is none is left for the Engine to refuse.
      return [`seccomp=${seccompProfile(seccomp.Profile ?? '') ?? ''}`];
    case 'default':
    case undefined:
      return [];
  }
}
