import { expect, test } from 'vitest';
import { securityOptions } from '../../../../agent/executor/security-options.js';

const profile = (text: string): string => Buffer.from(text).toString('base64');

test.each([
  [undefined, undefined],
  [
    { NoNewPrivileges: false, Seccomp: { Mode: 'default' as const }, AppArmor: { Mode: 'default' as const } },
    undefined,
  ],
  [{ NoNewPrivileges: true }, ['no-new-privileges=true']],
  [{ SELinuxContext: { Disable: true } }, ['label=disable']],
  [
    { SELinuxContext: { User: 'u', Role: 'r', Type: 't', Level: 's0:c1' } },
    ['label=user:u', 'label=role:r', 'label=level:s0:c1', 'label=type:t'],
  ],
  [
    { Seccomp: { Mode: 'unconfined' as const }, AppArmor: { Mode: 'disabled' as const } },
    ['seccomp=unconfined', 'apparmor=unconfined'],
  ],
  [{ Seccomp: { Mode: 'custom' as const, Profile: profile('{ "a":\n 1 }') } }, ['seccomp={"a":1}']],
])('%j are the security options %j', (privileges, options) => {
  expect(securityOptions(privileges)).toEqual(options);
});
