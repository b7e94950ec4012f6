import type {
  ConfigReference,
  ContainerSpec,
  HealthConfig,
  Mount,
  Privileges,
  SecretReference,
} from './container-spec.js';
import { always, document, field, pointer, refused, refusedIfPresent } from './document-shape.js';
import { count, flag, limited, list, text, textMap, whole, word } from './shape.js';

const NEWER_ENGINE = 'the Engines this version is made for (API 1.41) do not have it';

const healthConfig = document<HealthConfig>({
  Test: field(list(text)),
  Interval: field(whole),
  Timeout: field(whole),
  Retries: field(whole),
  StartPeriod: field(whole),
  StartInterval: field(whole),
});

const mount = document<Mount>({
  // Go's zero value of the type is a bind.
  Type: always(
    limited(
      word('bind', 'volume', 'tmpfs', 'npipe', 'cluster'),
      (type) => type !== 'npipe' && type !== 'cluster',
      'mounts are of type bind, volume or tmpfs',
    ),
    'bind',
  ),
  Source: field(text),
  Target: field(text),
  ReadOnly: field(flag),
  Consistency: field(text),
  BindOptions: pointer(
    document<NonNullable<Mount['BindOptions']>>({
      Propagation: field(word('private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave')),
      NonRecursive: field(flag),
      CreateMountpoint: field(flag),
      ReadOnlyNonRecursive: refused(NEWER_ENGINE),
      ReadOnlyForceRecursive: refused(NEWER_ENGINE),
    }),
  ),
  VolumeOptions: pointer(
    document<NonNullable<Mount['VolumeOptions']>>({
      NoCopy: field(flag),
      Labels: field(textMap),
      DriverConfig: pointer(
        document<NonNullable<NonNullable<Mount['VolumeOptions']>['DriverConfig']>>({
          Name: field(text),
          Options: field(textMap),
        }),
      ),
      Subpath: refused(NEWER_ENGINE),
    }),
  ),
  TmpfsOptions: pointer(
    document<NonNullable<Mount['TmpfsOptions']>>({
      SizeBytes: field(count),
      Mode: field(count),
      Options: field(list(list(text))),
    }),
  ),
  ImageOptions: refused(NEWER_ENGINE),
  ClusterOptions: refused('bale has no cluster volumes'),
});

const privileges = document<Privileges>({
  CredentialSpec: refused('credential specs exist on Windows only'),
  SELinuxContext: field(
    document<NonNullable<Privileges['SELinuxContext']>>({
      Disable: field(flag),
      User: field(text),
      Role: field(text),
      Type: field(text),
      Level: field(text),
    }),
  ),
  Seccomp: field(
    document<NonNullable<Privileges['Seccomp']>>({
      Mode: field(word('default', 'unconfined', 'custom')),
      Profile: field(text),
    }),
  ),
  AppArmor: field(document<NonNullable<Privileges['AppArmor']>>({ Mode: field(word('default', 'disabled')) })),
  NoNewPrivileges: field(flag),
});

const fileTarget = document<NonNullable<SecretReference['File']>>({
  Name: always(text, ''),
  UID: always(text, ''),
  GID: always(text, ''),
  Mode: always(count, 0),
});

const secretReference = document<SecretReference>({
  File: pointer(fileTarget),
  SecretID: always(text, ''),
  SecretName: always(text, ''),
});

const configReference = document<ConfigReference>({
  File: pointer(fileTarget),
  Runtime: refusedIfPresent('configs reach containers as files only'),
  ConfigID: always(text, ''),
  ConfigName: always(text, ''),
});

/** What this version does with each field of a ContainerSpec. */
export const containerSpecShape = document<ContainerSpec>({
  Image: always(text, ''),
  Labels: field(textMap),
  Command: field(list(text)),
  Args: field(list(text)),
  Hostname: field(text),
  Env: field(list(text)),
  Dir: field(text),
  User: field(text),
  Groups: field(list(text)),
  Privileges: field(privileges),
  Init: pointer(flag),
  StopSignal: field(text),
  TTY: field(flag),
  OpenStdin: field(flag),
  ReadOnly: field(flag),
  Mounts: field(list(mount)),
  StopGracePeriod: pointer(whole),
  Healthcheck: pointer(healthConfig),
  Hosts: field(list(text)),
  DNSConfig: pointer(
    document<NonNullable<ContainerSpec['DNSConfig']>>({
      Nameservers: field(list(text)),
      Search: field(list(text)),
      Options: field(list(text)),
    }),
  ),
  Secrets: field(list(secretReference)),
  Configs: field(list(configReference)),
  Isolation: always(
    limited(
      word('default', 'process', 'hyperv'),
      (isolation) => isolation === 'default',
      'only the isolation "default" exists on Linux',
    ),
    'default',
  ),
  Sysctls: field(textMap),
  CapabilityAdd: field(list(text)),
  CapabilityDrop: field(list(text)),
  Ulimits: field(
    list(
      document<NonNullable<ContainerSpec['Ulimits']>[number]>({
        Name: always(text, ''),
        Hard: always(whole, 0),
        Soft: always(whole, 0),
      }),
    ),
  ),
  OomScoreAdj: field(whole),
});
