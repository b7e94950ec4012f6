export interface ContainerSpec {
  Image: string;
  Labels?: Record<string, string>;
  /** The entrypoint. */
  Command?: string[];
  /** The command. */
  Args?: string[];
  Hostname?: string;
  Env?: string[];
  Dir?: string;
  User?: string;
  Groups?: string[];
  Privileges?: Privileges;
  Init?: boolean | null;
  StopSignal?: string;
  TTY?: boolean;
  OpenStdin?: boolean;
  ReadOnly?: boolean;
  Mounts?: Mount[];
  /** ns; 10 s unless given. */
  StopGracePeriod?: number;
  Healthcheck?: HealthConfig;
  /** `IP host [alias]`: the reverse of `docker run --add-host`. */
  Hosts?: string[];
  DNSConfig?: { Nameservers?: string[]; Search?: string[]; Options?: string[] };
  Secrets?: SecretReference[];
  Configs?: ConfigReference[];
  Isolation?: string;
  Sysctls?: Record<string, string>;
  CapabilityAdd?: string[];
  CapabilityDrop?: string[];
  Ulimits?: { Name: string; Hard: number; Soft: number }[];
  /** -1000 to 1000: the higher, the sooner the kernel ends it when memory runs out. */
  OomScoreAdj?: number;
}

export interface Privileges {
  /** Of Windows only. */
  CredentialSpec?: Record<string, unknown>;
  SELinuxContext?: { Disable?: boolean; User?: string; Role?: string; Type?: string; Level?: string };
  /** Profile: JSON, in base64 as Go writes bytes; only of the mode `custom`. */
  Seccomp?: { Mode?: 'default' | 'unconfined' | 'custom'; Profile?: string };
  AppArmor?: { Mode?: 'default' | 'disabled' };
  NoNewPrivileges?: boolean;
}

export interface Mount {
  Type?: 'bind' | 'volume' | 'tmpfs' | 'npipe' | 'cluster';
  Source?: string;
  Target?: string;
  ReadOnly?: boolean;
  Consistency?: string;
  BindOptions?: {
    Propagation?: string;
    NonRecursive?: boolean;
    CreateMountpoint?: boolean;
    ReadOnlyNonRecursive?: boolean;
    ReadOnlyForceRecursive?: boolean;
  };
  VolumeOptions?: {
    NoCopy?: boolean;
    Subpath?: string;
    Labels?: Record<string, string>;
    DriverConfig?: { Name?: string; Options?: Record<string, string> };
  };
  /** Options: `[flag]` or `[name, value]`. */
  TmpfsOptions?: { SizeBytes?: number; Mode?: number; Options?: string[][] };
  ImageOptions?: Record<string, unknown>;
  ClusterOptions?: Record<string, unknown>;
}

export interface HealthConfig {
  /** `[]` inherit, `["NONE"]` off, `["CMD", …]`, `["CMD-SHELL", line]`. */
  Test?: string[];
  Interval?: number;
  Timeout?: number;
  Retries?: number;
  StartPeriod?: number;
  /** ns between probes during the start period. */
  StartInterval?: number;
}

export interface SecretReference {
  File?: { Name: string; UID: string; GID: string; Mode: number };
  SecretID: string;
  SecretName: string;
}

export interface ConfigReference {
  File?: { Name: string; UID: string; GID: string; Mode: number };
  Runtime?: Record<string, never>;
  ConfigID: string;
  ConfigName: string;
}
