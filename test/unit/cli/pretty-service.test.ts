import { describe, expect, test } from 'vitest';
import { prettyService } from '../../../cli/view/pretty-service.js';
import type { ServiceDocument } from '../../../proto/engine/service-document.js';

const service = (Labels: Record<string, string>, over: Partial<ServiceDocument> = {}): ServiceDocument => ({
  ID: 'web-id',
  Version: { Index: 1 },
  CreatedAt: '',
  UpdatedAt: '',
  Spec: { Name: 'web', Labels, TaskTemplate: { ContainerSpec: { Image: 'image' } }, Mode: { Replicated: {} } },
  Endpoint: { Spec: {} },
  ...over,
});

describe('service inspect --pretty', () => {
  test('shows what the containers have of their machine', () => {
    const labels = {
      'bale.devices': '/dev/sda:/dev/xvdc:rw,/dev/fuse',
      'bale.gpus': 'device=0,1',
      'bale.privileged': 'true',
      'bale.shm-size': '256m',
      'bale.pid': 'host',
      'bale.ipc': 'private',
      'bale.cpuset.cpus': '0-1',
      'bale.cpuset.mems': '0',
    };
    expect(prettyService(service(labels))).toContain(
      [
        'Host options:',
        ' Devices:\t/dev/fuse:/dev/fuse:rwm /dev/sda:/dev/xvdc:rw',
        ' GPUs:\t0 1',
        ' Privileged:\ttrue',
        ' ShmSize:\t256MiB',
        ' PidMode:\thost',
        ' IpcMode:\tprivate',
        ' CpusetCpus:\t0-1',
        ' CpusetMems:\t0',
        '',
      ].join('\n'),
    );
    expect(prettyService(service({ 'bale.gpus': 'all' }))).toContain('Host options:\n GPUs:\tall\n');
    expect(prettyService(service({ a: 'b' }))).not.toContain('Host options');
  });

  test('shows what its tasks are warned of', () => {
    const warnings = ['volume data of web.1 (data) is on h2, which is down: started on h3 without it'];
    expect(prettyService(service({}, { warnings }))).toContain(`Warnings:\n ${warnings[0] ?? ''}\n`);
    expect(prettyService(service({}))).not.toContain('Warnings');
  });
});
