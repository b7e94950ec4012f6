import type { ContainerInspectInfo } from 'dockerode';
import type { PortConfig, PortProtocol } from '../../proto/engine/service-spec.js';
import { SERVICE_ID_LABEL, TASK_ID_LABEL } from './container-labels.js';
import type { ContainerState } from './executor.js';
import { healthCheckOf } from './health-check.js';

/** The Engine's inspect document as the agent sees it; undefined when it is no task's container. */
export function containerState(info: ContainerInspectInfo): ContainerState | undefined {
  const labels = info.Config.Labels;
  const taskId = labels[TASK_ID_LABEL];
  if (taskId === undefined) return undefined;
  const phase = phaseOf(info.State.Status);
  const running = phase === 'running';
  const address = running ? addressOf(info) : undefined;
  const health = running ? healthOf(info.State.Health?.Status) : undefined;
  const check = health === undefined ? undefined : healthCheckOf(info.Config);
  const lastProbe = health === 'unhealthy' ? info.State.Health?.Log.at(-1) : undefined;
  return {
    taskId,
    serviceId: labels[SERVICE_ID_LABEL] ?? '',
    containerId: info.Id,
    phase,
    // The Engine calls every container that has ended unhealthy: health counts while it runs.
    ...(health === undefined ? {} : { health }),
    ...(check === undefined ? {} : { check }),
    ...(lastProbe === undefined
      ? {}
      : { lastProbe: { kind: 'ended', exitCode: lastProbe.ExitCode, output: lastProbe.Output } as const }),
    pid: running ? info.State.Pid : 0,
    exitCode: info.State.ExitCode,
    error: info.State.OOMKilled ? outOfMemory(info.HostConfig.Memory ?? 0) : info.State.Error,
    ...(address === undefined ? {} : { address }),
    hostPorts: running ? hostPorts(info.NetworkSettings.Ports) : [],
  };
}

function phaseOf(status: string): ContainerState['phase'] {
  switch (status) {
    case 'created':
      return 'created';
    case 'running':
    case 'paused':
    case 'restarting':
      return 'running';
    default:
      return 'exited'; // exited, dead, removing
  }
}

function healthOf(status: string | undefined): ContainerState['health'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : undefined;
}

const outOfMemory = (limit: number): string =>
  limit > 0 ? `out of memory (limit ${Math.round(limit / 2 ** 20)} MiB)` : 'out of memory';

const addressOf = (info: ContainerInspectInfo): string | undefined =>
  Object.values(info.NetworkSettings.Networks)
    .map((network) => network.IPAddress)
    .find((address) => address !== '');

/** The Engine lists a port once for each address family. */
function hostPorts(ports: ContainerInspectInfo['NetworkSettings']['Ports']): readonly PortConfig[] {
  const found = new Map<string, PortConfig>();
  for (const [key, bindings] of Object.entries(ports)) {
    const [target, protocol] = key.split('/');
    // An exposed port that is not bound has null instead of a list.
    for (const binding of (bindings as readonly { readonly HostPort: string }[] | null) ?? []) {
      found.set(`${key} ${binding.HostPort}`, {
        Protocol: protocolOf(protocol),
        TargetPort: Number(target),
        PublishedPort: Number(binding.HostPort),
        PublishMode: 'host',
      });
    }
  }
  return [...found.values()];
}

const protocolOf = (text: string | undefined): PortProtocol => (text === 'udp' || text === 'sctp' ? text : 'tcp');
