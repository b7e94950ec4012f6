import { expect, test } from 'vitest';
import { historyRows } from '../../../cli/view/history.js';
import { describeChange } from '../../../cli/view/spec-change.js';
import type { ContainerSpec } from '../../../proto/engine/container-spec.js';
import type { ServiceSpec } from '../../../proto/engine/service-spec.js';
import { serviceDocument } from '../../support/documents.js';

const spec = (container: Partial<ContainerSpec>, fields: Partial<ServiceSpec> = {}): ServiceSpec => ({
  Name: 'web',
  Labels: {},
  TaskTemplate: { ContainerSpec: { Image: 'web:1', ...container } },
  Mode: { Replicated: { Replicas: 3 } },
  ...fields,
});

test.each<[string, ServiceSpec, ServiceSpec]>([
  ['nothing', spec({ Labels: { a: '1', b: '2' } }), spec({ Labels: { b: '2', a: '1' } })],
  [
    'image web:1 → web:2, replicas 3 → 5',
    spec({}),
    spec({ Image: 'web:2' }, { Mode: { Replicated: { Replicas: 5 } } }),
  ],
  ['env +NEW ~LOG -OLD', spec({ Env: ['LOG=a', 'OLD=1'] }), spec({ Env: ['NEW=1', 'LOG=secret'] })],
  ['labels +a, container labels -b', spec({ Labels: { b: '' } }), spec({}, { Labels: { a: 'secret' } })],
  [
    'ports +8081:80 -8080:80',
    spec({}, { EndpointSpec: { Ports: [{ TargetPort: 80, PublishedPort: 8080 }] } }),
    spec({}, { EndpointSpec: { Ports: [{ TargetPort: 80, PublishedPort: 8081, Protocol: 'tcp' }] } }),
  ],
  ['mounts ~/a', spec({ Mounts: [{ Target: '/a' }] }), spec({ Mounts: [{ Target: '/a', ReadOnly: true }] })],
  ['restart', spec({}), { ...spec({}), TaskTemplate: { ...spec({}).TaskTemplate, ForceUpdate: 1 } }],
  [
    'Args, Healthcheck, UpdateConfig',
    spec({ Args: ['a'] }),
    spec({ Healthcheck: { Test: ['NONE'] } }, { UpdateConfig: { Parallelism: 2 } }),
  ],
])('a change is told as: %s', (text, before, after) => {
  expect(describeChange(before, after)).toBe(text);
});

const past = (index: number, UpdatedAt: string, Image: string) => ({
  Version: { Index: index },
  UpdatedAt,
  Spec: spec({ Image }),
});

test('history: the present spec first, each with what it changed against the one before', () => {
  const service = serviceDocument('web', 3, {
    Version: { Index: 30 },
    CreatedAt: '2026-01-01T00:00:00Z',
    UpdatedAt: '2026-01-03T00:00:00Z',
    Spec: spec({ Image: 'web:3' }),
  });
  const second = past(20, '2026-01-02T00:00:00Z', 'web:2');
  const rows = historyRows(service, [second, past(10, '2026-01-01T00:00:00Z', 'web:1')]);
  expect(rows.map(({ version, change, current }) => [version, change, current])).toEqual([
    [30, 'image web:2 → web:3', true],
    [20, 'image web:1 → web:2', false],
    [10, 'created', false],
  ]);
  expect(historyRows(service, [second]).at(-1)?.change).toBe('');
});
