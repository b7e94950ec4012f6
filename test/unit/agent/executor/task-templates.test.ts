import { describe, expect, test } from 'vitest';
import { withTemplatesExpanded } from '../../../../agent/executor/task-templates.js';
import { caught } from '../../../support/caught.js';
import { assignment } from '../../../support/assignments.js';

const NODE = { ID: 'n1', Hostname: 'h1', Platform: { Architecture: 'x86_64', OS: 'linux' } };
const labels = { serviceLabels: { tier: 'front' } };

describe('the templates of a task', () => {
  test('are expanded where SwarmKit expands them, and nowhere else', () => {
    const task = assignment('t1', {
      ...labels,
      container: {
        Env: ['A={{.Service.Name}}={{.Task.Slot}}', '{{.Task.ID}}=kept', 'BARE', 'T={{index .Service.Labels "tier"}}'],
        Hostname: '{{.Node.Hostname}}-{{.Node.Platform.OS}}-{{.Node.Platform.Architecture}}',
        Labels: { kept: '{{.Task.ID}}' },
        Dir: '/{{.Task.ID}}',
        Mounts: [
          {
            Type: 'volume',
            Source: 'data-{{.Task.Slot}}',
            Target: '/{{.Node.ID}}',
            VolumeOptions: {
              NoCopy: true,
              Labels: { task: '{{.Task.Name}}', plain: 'p' },
              DriverConfig: { Name: '{{.Task.ID}}', Options: { device: '/srv/{{.Service.ID}}' } },
            },
          },
          { Type: 'tmpfs', Target: '/tmp' },
        ],
      },
    });
    expect(withTemplatesExpanded(task, NODE).spec.ContainerSpec).toEqual({
      Image: 'bale-test:1',
      Env: ['A=web=1', '{{.Task.ID}}=kept', 'BARE', 'T=front'],
      Hostname: 'h1-linux-x86_64',
      Labels: { kept: '{{.Task.ID}}' },
      Dir: '/{{.Task.ID}}',
      Mounts: [
        {
          Type: 'volume',
          Source: 'data-1',
          Target: '/n1',
          VolumeOptions: {
            NoCopy: true,
            Labels: { task: 'web.1.t1', plain: 'p' },
            DriverConfig: { Name: '{{.Task.ID}}', Options: { device: '/srv/service-web' } },
          },
        },
        { Type: 'tmpfs', Target: '/tmp' },
      ],
    });
  });

  test('have the node in the place of a slot where a service has none', () => {
    const task = assignment('t1', { slot: 0, container: { Hostname: '{{.Task.Slot}}' } });
    expect(withTemplatesExpanded(task, NODE).spec.ContainerSpec.Hostname).toBe('n1');
  });

  test('leave a task without any as it is', () => {
    const task = assignment('t1', { container: { Env: ['A=1'], Hostname: 'h', Mounts: [{ Target: '/a' }] } });
    expect(withTemplatesExpanded(task, NODE)).toBe(task);
  });

  test('that make a mount which breaks a rule on this node are refused', () => {
    const here = '{{if eq .Node.ID "n1"}}rel{{else}}/abs{{end}}';
    const task = assignment('t1', { container: { Mounts: [{ Type: 'bind', Source: here, Target: '/a' }] } });
    expect(caught(() => withTemplatesExpanded(task, NODE))).toMatchObject({
      code: 'BALE_TEMPLATE_FAILED',
      message: 'expanding mounts failed: Mounts[0]: invalid bind mount source, must be an absolute path: "rel"',
    });
  });

  test('that name what is not there tell the variable and not its value', () => {
    const task = assignment('t1', { container: { Env: ['KEY=s3cret{{.Service.Labels.nope}}'] } });
    const error = caught(() => withTemplatesExpanded(task, NODE));
    expect(error).toMatchObject({
      code: 'BALE_TEMPLATE_FAILED',
      message: 'expanding env failed: expanding env "KEY": template: map has no entry for key "nope"',
    });
  });
});
