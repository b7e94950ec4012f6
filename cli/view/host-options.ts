import { hostOptionsOf } from '../../proto/engine/host-labels.js';
import type { Gpus, HostOptions } from '../../proto/engine/host-options.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';

/** Lines of `service inspect --pretty`, one for each thing that its containers have of their machine. */
export function hostOptionLines({ Labels }: Pick<ServiceSpec, 'Labels'>): readonly string[] {
  const { devices, gpus, privileged, shmSize, pid, ipc, cpusetCpus, cpusetMems }: HostOptions =
    hostOptionsOf(Labels) ?? {};
  return [
    ...line('Devices', devices?.map(({ source, target, access }) => `${source}:${target}:${access}`).join(' ')),
    ...line('GPUs', gpus === undefined ? undefined : gpuText(gpus)),
    ...line('Privileged', privileged?.toString()),
    ...line('ShmSize', shmSize === undefined ? undefined : `${shmSize / 2 ** 20}MiB`),
    ...line('PidMode', pid),
    ...line('IpcMode', ipc),
    ...line('CpusetCpus', cpusetCpus),
    ...line('CpusetMems', cpusetMems),
  ];
}

const gpuText = (gpus: Gpus): string => ('ids' in gpus ? gpus.ids.join(' ') : String(gpus.count));

const line = (name: string, value: string | undefined): readonly string[] =>
  value === undefined ? [] : [` ${name}:\t${value}`];
