import type { Gpus, HostOptions } from '../../proto/engine/host-options.js';

/** The fields of a container's `HostConfig` that the host options of its task stand for. */
export const hostOptionFields = ({
  devices,
  gpus,
  privileged,
  shmSize,
  pid,
  ipc,
  cpusetCpus,
  cpusetMems,
}: HostOptions = {}): Record<string, unknown> => ({
  ...(devices === undefined
    ? {}
    : {
        Devices: devices.map(({ source, target, access }) => ({
          PathOnHost: source,
          PathInContainer: target,
          CgroupPermissions: access,
        })),
      }),
  ...(gpus === undefined ? {} : { DeviceRequests: [deviceRequest(gpus)] }),
  ...(privileged === undefined ? {} : { Privileged: privileged }),
  ...(shmSize === undefined ? {} : { ShmSize: shmSize }),
  ...(pid === undefined ? {} : { PidMode: pid }),
  ...(ipc === undefined ? {} : { IpcMode: ipc }),
  ...(cpusetCpus === undefined ? {} : { CpusetCpus: cpusetCpus }),
  ...(cpusetMems === undefined ? {} : { CpusetMems: cpusetMems }),
});

/** What `docker run --gpus` sends: the Engine's first driver with the capability `gpu`. */
function deviceRequest(gpus: Gpus): Record<string, unknown> {
  const Capabilities = [['gpu']];
  if ('ids' in gpus) return { DeviceIDs: gpus.ids, Capabilities };
  return { Count: gpus.count === 'all' ? -1 : gpus.count, Capabilities };
}
