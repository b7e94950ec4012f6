import type { Mount } from '../../proto/engine/container-spec.js';
import { formatDuration } from '../../proto/engine/duration.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import { scheduleOf } from '../../proto/engine/schedule-labels.js';
import { modeOf } from '../../proto/engine/service-mode.js';
import type { ServiceMode } from '../../proto/engine/service-spec.js';
import type { ResourceList } from '../../proto/engine/task-spec.js';
import { hostOptionLines } from './host-options.js';

/** `service inspect --pretty`. */
export function prettyService(service: ServiceDocument): string {
  const { Spec, Endpoint, UpdateStatus } = service;
  const { ContainerSpec, Resources, RestartPolicy } = Spec.TaskTemplate;
  const lines = [
    `ID:\t\t${service.ID}`,
    `Name:\t\t${Spec.Name}`,
    ...section(
      'Labels:',
      Object.entries(Spec.Labels)
        .sort()
        .map(([key, value]) => ` ${key}=${value}`),
    ),
    ...modeLines(Spec.Mode),
    ...section('Schedule:', scheduleLines(service)),
    ...section(
      'UpdateStatus:',
      UpdateStatus === undefined
        ? []
        : [` State:\t\t${UpdateStatus.State}`, ` Message:\t${UpdateStatus.Message ?? ''}`],
    ),
    ...section('RestartPolicy:', [
      ` Condition:\t${RestartPolicy?.Condition ?? 'any'}`,
      ...(RestartPolicy?.Delay === undefined ? [] : [` Delay:\t\t${formatDuration(RestartPolicy.Delay)}`]),
      ` Max attempts:\t${RestartPolicy?.MaxAttempts ?? 0}`,
    ]),
    'ContainerSpec:',
    ` Image:\t\t${ContainerSpec.Image}`,
    ...line('Command', ContainerSpec.Command?.join(' ')),
    ...line('Args', ContainerSpec.Args?.join(' ')),
    ...line('Env', ContainerSpec.Env?.join(' ')),
    ...line('Dir', ContainerSpec.Dir),
    ...line('User', ContainerSpec.User),
    ...line('Init', ContainerSpec.Init === null ? undefined : ContainerSpec.Init?.toString()),
    ...line('StopSignal', ContainerSpec.StopSignal),
    ...section('Host options:', hostOptionLines(Spec)),
    ...section('Mounts:', (ContainerSpec.Mounts ?? []).flatMap(mountLines)),
    ...section('Resources:', [
      ...resourceLines('Reservations', Resources?.Reservations),
      ...resourceLines('Limits', Resources?.Limits),
    ]),
    ...section(
      'Ports:',
      (Endpoint.Ports ?? []).flatMap((port) => [
        ` PublishedPort = ${port.PublishedPort ?? 0}`,
        `  Protocol = ${port.Protocol ?? 'tcp'}`,
        `  TargetPort = ${port.TargetPort ?? 0}`,
        `  PublishMode = ${port.PublishMode ?? 'ingress'}`,
      ]),
    ),
    ...section(
      'Port errors:',
      (service.portErrors ?? []).flatMap(({ nodeId, error, notice }) =>
        notice === true ? [] : [` ${nodeId}: ${error}`],
      ),
    ),
    ...section(
      'Port notices:',
      (service.portErrors ?? []).flatMap(({ nodeId, error, notice }) =>
        notice === true ? [` ${nodeId}: ${error}`] : [],
      ),
    ),
    ...section(
      'Warnings:',
      (service.warnings ?? []).map((text) => ` ${text}`),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** docker's words. */
function modeLines(mode: ServiceMode): readonly string[] {
  switch (modeOf(mode)) {
    case 'replicated':
      return ['Service Mode:\tReplicated', ` Replicas:\t${mode.Replicated?.Replicas ?? 1}`];
    case 'global':
      return ['Service Mode:\tGlobal'];
    case 'replicated-job': {
      const { MaxConcurrent = 1, TotalCompletions = MaxConcurrent } = mode.ReplicatedJob ?? {};
      return [
        'Service Mode:\tReplicatedJob',
        ` Max Concurrent:\t${MaxConcurrent}`,
        ` Total Completions:\t${TotalCompletions}`,
      ];
    }
    case 'global-job':
      return ['Service Mode:\tGlobalJob'];
  }
}

function scheduleLines({ Spec, nextRun }: ServiceDocument): readonly string[] {
  const schedule = scheduleOf(Spec.Labels);
  if (schedule === undefined) return [];
  const { pattern, timezone, concurrency } = schedule;
  return [
    ` Pattern:\t${pattern} ${timezone}`,
    ` Concurrency:\t${concurrency}`,
    ...(nextRun === undefined ? [] : [` Next run:\t${nextRun}`]),
  ];
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [title, ...lines];

const line = (name: string, value: string | undefined): readonly string[] =>
  value === undefined || value === '' ? [] : [` ${name}:\t\t${value}`];

const mountLines = (mount: Mount): readonly string[] => [
  ` Target:\t${mount.Target ?? ''}`,
  `  Source:\t${mount.Source ?? ''}`,
  `  ReadOnly:\t${mount.ReadOnly === true ? 'true' : 'false'}`,
  `  Type:\t\t${mount.Type ?? 'volume'}`,
];

function resourceLines(title: string, list: ResourceList | undefined): readonly string[] {
  const lines = [
    ...(list?.NanoCPUs === undefined ? [] : [`  CPU:\t\t${list.NanoCPUs / 1e9}`]),
    ...(list?.MemoryBytes === undefined ? [] : [`  Memory:\t${list.MemoryBytes / 2 ** 20}MiB`]),
  ];
  return section(` ${title}:`, lines);
}
