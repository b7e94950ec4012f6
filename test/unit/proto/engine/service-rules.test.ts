import { describe, expect, it } from 'vitest';
import { decodeServiceSpec } from '../../../../proto/engine/decode-service-spec.js';
import { caught } from '../../../support/caught.js';
import { containerBody, serviceBody } from '../../../support/service-body.js';

const task = (fields: Record<string, unknown>) => serviceBody({ TaskTemplate: fields });
const mounts = (...list: Record<string, unknown>[]) => containerBody({ Mounts: list });
const health = (fields: Record<string, unknown>) => containerBody({ Healthcheck: fields });
const privileges = (fields: Record<string, unknown>) => containerBody({ Privileges: fields });
const ports = (...list: Record<string, unknown>[]) => serviceBody({ EndpointSpec: { Ports: list } });
const labelled = (label: string, value: string) =>
  serviceBody({ Labels: { [label]: value }, EndpointSpec: { Ports: [{ TargetPort: 80 }] } });
const labelledDns = (label: string, value: string) =>
  serviceBody({ Labels: { [label]: value }, EndpointSpec: { Ports: [{ TargetPort: 53, Protocol: 'udp' }] } });

describe('rules for a service', () => {
  it.each([
    ['name must be valid as a DNS name component', serviceBody({ Name: '-web' })],
    ['name must be valid as a DNS name component', serviceBody({ Name: 'a.b' })],
    ['name must be valid as a DNS name component', serviceBody({ Name: `${'a'.repeat(50_000)}!` })],
    ['name must be 63 characters or fewer', serviceBody({ Name: 'a'.repeat(64) })],
    ['ContainerSpec: image reference must be provided', containerBody({ Image: '' })],
    ['ContainerSpec: image reference must be provided', serviceBody({ TaskTemplate: null })],
    ['ContainerSpec: "A:B:C" is not a valid repository/tag', containerBody({ Image: 'A:B:C' })],
    ['invalid cpu value 0.0005: Must be at least 0.001', task({ Resources: { Limits: { NanoCPUs: 500_000 } } })],
    ['invalid cpu value -1: Must be at least 0.001', task({ Resources: { Reservations: { NanoCPUs: -1e9 } } })],
    [
      'invalid memory value 4194303: Must be at least 4MiB',
      task({ Resources: { Reservations: { MemoryBytes: 4 * 1024 * 1024 - 1 } } }),
    ],
    ['invalid memory value -1: Must be at least 4MiB', task({ Resources: { Limits: { MemoryBytes: -1 } } })],
    [
      'memory reservation 8388608 cannot be more than the memory limit 4194304',
      task({ Resources: { Limits: { MemoryBytes: 2 ** 22 }, Reservations: { MemoryBytes: 2 ** 23 } } }),
    ],
    ['constraint expected one operator from ==, !=', task({ Placement: { Constraints: ['node.role'] } })],
    [
      'Reservations: GenericResources[0] must have either a NamedResourceSpec or a DiscreteResourceSpec',
      task({ Resources: { Reservations: { GenericResources: [{}] } } }),
    ],
    [
      'Reservations: GenericResources[0]: invalid argument for resource gpu: must be at least 1',
      task({
        Resources: { Reservations: { GenericResources: [{ DiscreteResourceSpec: { Kind: 'gpu', Value: 0 } }] } },
      }),
    ],
    [
      'Reservations: GenericResources[0]: invalid kind "g=u"',
      task({ Resources: { Reservations: { GenericResources: [{ NamedResourceSpec: { Kind: 'g=u', Value: 'a' } }] } } }),
    ],
    ['TaskSpec: restart-delay cannot be negative', task({ RestartPolicy: { Delay: -1 } })],
    ['TaskSpec: restart-delay cannot be longer than 24 days', task({ RestartPolicy: { Delay: 25 * 86_400e9 } })],
    ['TaskSpec: restart-window cannot be negative', task({ RestartPolicy: { Window: -1 } })],
    ['ContainerSpec: StopGracePeriod cannot be negative', containerBody({ StopGracePeriod: -1 })],
    ['ContainerSpec: StopGracePeriod cannot be longer than 24 days', containerBody({ StopGracePeriod: 25 * 86_400e9 })],
    ['ContainerSpec: Hosts[0] must be "IP host", got "1.2.3.4"', containerBody({ Hosts: ['1.2.3.4'] })],
    ['ContainerSpec: Env[1] has no name before its "="', containerBody({ Env: ['A', '=secret'] })],
    ['ContainerSpec: Env[0] has no name before its "="', containerBody({ Env: [''] })],
    [
      'ContainerSpec: Labels: "bale.port.80.protocol" is a setting of the service; put it in the service\'s labels',
      containerBody({ Labels: { 'bale.port.80.protocol': 'tcp' } }),
    ],
    ['ContainerSpec: Interval in HealthConfig cannot be less than 1ms', health({ Interval: 999_999 })],
    ['ContainerSpec: Timeout in HealthConfig cannot be less than 1ms', health({ Timeout: -1 })],
    ['ContainerSpec: StartPeriod in HealthConfig cannot be less than 1ms', health({ StartPeriod: 1 })],
    ['ContainerSpec: StartInterval in HealthConfig cannot be less than 1ms', health({ StartInterval: 1 })],
    ['ContainerSpec: Retries in HealthConfig cannot be negative', health({ Retries: -1 })],
    [
      'ContainerSpec: Invalid value 1001, range for oom score adj is [-1000, 1000]',
      containerBody({ OomScoreAdj: 1001 }),
    ],
    ['memory swap provided, but no memory-limit was set', task({ Resources: { SwapBytes: 0 } })],
    [
      'invalid memory swap -2: Must be at least 0, or -1 for any amount',
      task({ Resources: { Limits: { MemoryBytes: 2 ** 22 }, SwapBytes: -2 } }),
    ],
    ['Invalid value: 101, valid memory swappiness range is 0-100', task({ Resources: { MemorySwappiness: 101 } })],
    [
      'ContainerSpec: Privileges: SELinuxContext is disabled, so it can have no user, role, type or level',
      privileges({ SELinuxContext: { Disable: true, User: 'u' } }),
    ],
    [
      'ContainerSpec: Privileges: the Seccomp mode "custom" needs a Profile',
      privileges({ Seccomp: { Mode: 'custom' } }),
    ],
    [
      'ContainerSpec: Privileges: a Seccomp Profile needs the mode "custom", not "default"',
      privileges({ Seccomp: { Profile: 'e30=' } }),
    ],
    [
      'ContainerSpec: Privileges: the Seccomp Profile is not a JSON object in base64',
      privileges({ Seccomp: { Mode: 'custom', Profile: '{}' } }),
    ],
    [
      'expanding env failed: expanding env "B": template: action 1 names the field ".Nope"; the fields are Service.ID, Service.Name, Service.Labels, Node.ID, Node.Hostname, Node.Platform.Architecture, Node.Platform.OS, Task.ID, Task.Name, Task.Slot',
      containerBody({ Env: ['A={{.Task.Slot}}', 'B={{.Nope}}'] }),
    ],
    [
      'expanding env failed: expanding env "A": template: map has no entry for key "tier"',
      containerBody({ Env: ['A={{.Service.Labels.tier}}'] }),
    ],
    ['expanding hostname failed: template: action 1 has no end', containerBody({ Hostname: 'h-{{.Task.Slot' })],
    [
      'expanding mounts failed: expanding mount source "{{secret}}": template: function "secret" not defined in action 1; there are and, eq, index, join, ne, not, or, printf',
      mounts({ Type: 'volume', Source: '{{secret}}', Target: '/a' }),
    ],
    [
      'expanding mounts failed: expanding volume driver config: expanding map entry "o": template: action 1 has no value',
      mounts({ Type: 'volume', Target: '/a', VolumeOptions: { DriverConfig: { Options: { o: '{{}}' } } } }),
    ],
    [
      'ContainerSpec: Mounts[0]: invalid mount target, must be an absolute path: "1"',
      mounts({ Type: 'volume', Source: 'x', Target: '{{.Task.Slot}}' }),
    ],
    [
      'ContainerSpec: Test in HealthConfig must begin with NONE, CMD, CMD-SHELL, not "curl"',
      health({ Test: ['curl', '/'] }),
    ],
    [
      'ContainerSpec: duplicate mount point: /a',
      mounts({ Type: 'volume', Source: 'x', Target: '/a' }, { Type: 'tmpfs', Target: '/a' }),
    ],
    [
      'ContainerSpec: Mounts[0]: invalid mount target, must be an absolute path: "a"',
      mounts({ Type: 'volume', Source: 'x', Target: 'a' }),
    ],
    ['ContainerSpec: Mounts[0]: invalid mount target, must be an absolute path: ""', mounts({ Type: 'tmpfs' })],
    [
      'ContainerSpec: Mounts[0]: invalid bind mount source, must be an absolute path: "x"',
      mounts({ Type: 'bind', Source: 'x', Target: '/a' }),
    ],
    [
      'ContainerSpec: Mounts[0]: invalid volume mount source, must not be an absolute path: /x',
      mounts({ Type: 'volume', Source: '/x', Target: '/a' }),
    ],
    [
      'ContainerSpec: Mounts[0]: invalid tmpfs source, source must be empty',
      mounts({ Type: 'tmpfs', Source: 'x', Target: '/a' }),
    ],
    [
      'ContainerSpec: Mounts[0]: options of a tmpfs mount do not fit a mount of type volume',
      mounts({ Type: 'volume', Source: 'x', Target: '/a', TmpfsOptions: { SizeBytes: 1 } }),
    ],
    [
      'ContainerSpec: Mounts[0]: TmpfsOptions.Options[1] must be a flag or a name and a value, got ["a","b","c"]',
      mounts({ Type: 'tmpfs', Target: '/a', TmpfsOptions: { Options: [['exec'], ['a', 'b', 'c']] } }),
    ],
    [
      'ContainerSpec: Mounts[0]: TmpfsOptions.Options[0] must be a flag or a name and a value, got ["a,b"]',
      mounts({ Type: 'tmpfs', Target: '/a', TmpfsOptions: { Options: [['a,b']] } }),
    ],
    [
      'ContainerSpec: Mounts[0]: CreateMountpoint and NonRecursive cannot be combined',
      mounts({ Source: '/x', Target: '/a', BindOptions: { CreateMountpoint: true, NonRecursive: true } }),
    ],
    [
      'ContainerSpec: Mounts[0]: with CreateMountpoint no path can have a colon',
      mounts({ Source: '/x:y', Target: '/a', BindOptions: { CreateMountpoint: true } }),
    ],
    ['EndpointSpec: Ports[0].TargetPort must be between 1 and 65535, got 0', ports({ PublishedPort: 80 })],
    ['EndpointSpec: Ports[0].TargetPort must be between 1 and 65535, got 65536', ports({ TargetPort: 65_536 })],
    [
      'EndpointSpec: Ports[1].PublishedPort must be at most 65535, got 70000',
      ports({ TargetPort: 80 }, { TargetPort: 80, PublishedPort: 70_000 }),
    ],
    [
      'EndpointSpec: duplicate published ports provided',
      ports({ TargetPort: 80, PublishedPort: 80 }, { TargetPort: 81, PublishedPort: 80, PublishMode: 'host' }),
    ],
    [
      'Number of replicas must be at most 100000, got 100001',
      serviceBody({ Mode: { Replicated: { Replicas: 100_001 } } }),
    ],
    [
      'label "bale.colour" is unknown: the labels under "bale." are bale.port.<target port>.protocol, bale.port.<target port>.balance, bale.port.<target port>.ip, bale.port.<target port>.proxy-protocol, bale.port.<target port>.max-connections, bale.port.<target port>.udp-timeout, bale.drain.deadline, bale.hold.timeout, bale.update.progress-deadline, bale.schedule, bale.schedule.timezone, bale.schedule.concurrency, bale.schedule.history, bale.schedule.catch-up, bale.depends, bale.image.pull, bale.devices, bale.gpus, bale.privileged, bale.shm-size, bale.pid, bale.ipc, bale.cpuset.cpus, bale.cpuset.mems',
      labelled('bale.colour', 'red'),
    ],
    [
      'label "bale.port.0.protocol" is unknown: the labels under "bale." are bale.port.<target port>.protocol, bale.port.<target port>.balance, bale.port.<target port>.ip, bale.port.<target port>.proxy-protocol, bale.port.<target port>.max-connections, bale.port.<target port>.udp-timeout, bale.drain.deadline, bale.hold.timeout, bale.update.progress-deadline, bale.schedule, bale.schedule.timezone, bale.schedule.concurrency, bale.schedule.history, bale.schedule.catch-up, bale.depends, bale.image.pull, bale.devices, bale.gpus, bale.privileged, bale.shm-size, bale.pid, bale.ipc, bale.cpuset.cpus, bale.cpuset.mems',
      labelled('bale.port.0.protocol', 'tcp'),
    ],
    [
      'label "bale.port.80.protocol" must be one of auto, tcp, http, got "https"',
      labelled('bale.port.80.protocol', 'https'),
    ],
    [
      'label "bale.port.80.balance" must be one of round-robin, least-connections, sticky, got "leastconn"',
      labelled('bale.port.80.balance', 'leastconn'),
    ],
    [
      'label "bale.port.81.balance": the service publishes no tcp port in ingress mode whose target is 81',
      labelled('bale.port.81.balance', 'sticky'),
    ],
    [
      'label "bale.port.53.balance": a client of a udp port always stays with its replica; set it to sticky or leave it out, got "least-connections"',
      labelledDns('bale.port.53.balance', 'least-connections'),
    ],
    [
      'label "bale.port.80.ip" must be an IP address or a range of them, such as 127.0.0.1, 10.0.0.0/8 or fd00::/8, got "localhost"',
      labelled('bale.port.80.ip', 'localhost'),
    ],
    [
      'label "bale.port.80.ip" must be an IP address or a range of them, such as 127.0.0.1, 10.0.0.0/8 or fd00::/8, got "10.0.0.0/33"',
      labelled('bale.port.80.ip', '10.0.0.0/33'),
    ],
    [
      'label "bale.port.81.ip": the service publishes no port whose target is 81',
      labelled('bale.port.81.ip', '127.0.0.1'),
    ],
    [
      'label "bale.port.80.max-connections" must be a whole number from 1 to 999999, got "0"',
      labelled('bale.port.80.max-connections', '0'),
    ],
    [
      'label "bale.port.80.proxy-protocol" must be one of v1, v2, got "v3"',
      labelled('bale.port.80.proxy-protocol', 'v3'),
    ],
    [
      'label "bale.port.80.proxy-protocol": connections that begin with a PROXY header are never read as HTTP; leave "bale.port.80.protocol" out or set it to tcp, got "http"',
      serviceBody({
        Labels: { 'bale.port.80.protocol': 'http', 'bale.port.80.proxy-protocol': 'v2' },
        EndpointSpec: { Ports: [{ TargetPort: 80 }] },
      }),
    ],
    [
      'label "bale.port.81.proxy-protocol": the service publishes no tcp port in ingress mode whose target is 81',
      labelled('bale.port.81.proxy-protocol', 'v1'),
    ],
    [
      'label "bale.port.81.protocol": the service publishes no tcp port in ingress mode whose target is 81',
      labelled('bale.port.81.protocol', 'tcp'),
    ],
    [
      'label "bale.port.53.protocol": the service publishes no tcp port in ingress mode whose target is 53',
      labelledDns('bale.port.53.protocol', 'tcp'),
    ],
    [
      'label "bale.port.80.udp-timeout": the service publishes no udp port in ingress mode whose target is 80',
      labelled('bale.port.80.udp-timeout', '30s'),
    ],
    [
      'label "bale.port.53.udp-timeout" must be from 1s to 1h, got "10ms"',
      labelledDns('bale.port.53.udp-timeout', '10ms'),
    ],
    [
      'label "bale.port.53.udp-timeout": "long" is not a duration; write it like 500ms, 10s or 1m30s',
      labelledDns('bale.port.53.udp-timeout', 'long'),
    ],
    [
      'label "bale.drain.deadline" must be from 0s to 24h, got "25h"',
      serviceBody({ Labels: { 'bale.drain.deadline': '25h' } }),
    ],
    [
      'label "bale.hold.timeout" must be from 0s to 60s, got "2m"',
      serviceBody({ Labels: { 'bale.hold.timeout': '2m' } }),
    ],
    [
      'label "bale.drain.deadline": "soon" is not a duration; write it like 500ms, 10s or 1m30s',
      serviceBody({ Labels: { 'bale.drain.deadline': 'soon' } }),
    ],
    [
      'label "bale.image.pull" must be one of always, missing, got "never"',
      serviceBody({ Labels: { 'bale.image.pull': 'never' } }),
    ],
    [
      'label "bale.update.progress-deadline" must be from 1s to 24h, got "0"',
      serviceBody({ Labels: { 'bale.update.progress-deadline': '0' } }),
    ],
  ])('%s', (words, body) => {
    expect(caught(() => decodeServiceSpec(body))).toEqual({
      kind: 'invalid',
      code: 'BALE_SPEC_INVALID',
      message: `rpc error: code = InvalidArgument desc = ${words}`,
    });
  });

  it.each([
    ['a name of 63 characters', serviceBody({ Name: `a_-${'9'.repeat(60)}` })],
    ['no name', serviceBody({ Name: '' })],
    ['0.001 CPU and 4 MiB', task({ Resources: { Limits: { NanoCPUs: 1e6, MemoryBytes: 4 * 1024 * 1024 } } })],
    ['no replicas', serviceBody({ Mode: { Replicated: { Replicas: 0 } } })],
    [
      'one port as tcp and udp',
      ports({ TargetPort: 53, PublishedPort: 53 }, { TargetPort: 53, PublishedPort: 53, Protocol: 'udp' }),
    ],
    ['several ports of any number', ports({ TargetPort: 80 }, { TargetPort: 81 })],
    ['a limit of connections', labelled('bale.port.80.max-connections', '1')],
    ['least connections', labelled('bale.port.80.balance', 'least-connections')],
    ['an address', labelled('bale.port.80.ip', 'fd00::7')],
    ['an address of a udp port', labelledDns('bale.port.53.ip', '10.0.0.0/8')],
    [
      'an address of a port in host mode',
      serviceBody({
        Labels: { 'bale.port.80.ip': '127.0.0.1' },
        EndpointSpec: { Ports: [{ TargetPort: 80, PublishedPort: 80, PublishMode: 'host' }] },
      }),
    ],
    ['a sticky port', labelled('bale.port.80.balance', 'sticky')],
    ['a sticky udp port', labelledDns('bale.port.53.balance', 'sticky')],
    ['a PROXY header', labelled('bale.port.80.proxy-protocol', 'v1')],
    ['a known label', labelled('bale.port.80.protocol', 'http')],
    ['a timeout of a udp port', labelledDns('bale.port.53.udp-timeout', '5m')],
    ['a health check switched off', health({ Test: ['NONE'] })],
    [
      'mounts of each type',
      mounts(
        { Type: 'bind', Source: '/x', Target: '/a', BindOptions: { Propagation: 'rslave' } },
        { Type: 'volume', Target: '/b', VolumeOptions: { DriverConfig: { Name: 'local' } } },
        { Type: 'tmpfs', Target: '/c', TmpfsOptions: { SizeBytes: 1024 }, VolumeOptions: {} },
      ),
    ],
  ])('%s is fine', (_what, body) => {
    expect(caught(() => decodeServiceSpec(body))).toBeUndefined();
  });
});
