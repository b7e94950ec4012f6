import { describe, expect, it } from 'vitest';
import { decodeServiceSpec } from '../../../../proto/engine/decode-service-spec.js';
import { caught } from '../../../support/caught.js';
import { containerBody, serviceBody } from '../../../support/service-body.js';

const task = (fields: Record<string, unknown>) => serviceBody({ TaskTemplate: fields });
const mount = (fields: Record<string, unknown>) =>
  containerBody({ Mounts: [{ Type: 'volume', Source: 'v', Target: '/v', ...fields }] });
const port = (fields: Record<string, unknown>) =>
  serviceBody({ EndpointSpec: { Ports: [{ TargetPort: 80, ...fields }] } });

const CONTAINER = 'TaskTemplate.ContainerSpec';

describe('fields that this version does not have', () => {
  it.each([
    [
      'EndpointSpec.Ports',
      serviceBody({ Mode: { Replicated: null, GlobalJob: {} }, EndpointSpec: { Ports: [{ TargetPort: 80 }] } }),
    ],
    ['Networks', serviceBody({ Networks: [{ Target: 'n' }] })],
    ['TaskTemplate.Networks', task({ Networks: [{ Target: 'n' }] })],
    ['TaskTemplate.PluginSpec', task({ PluginSpec: { Name: 'p' } })],
    ['TaskTemplate.NetworkAttachmentSpec', task({ NetworkAttachmentSpec: { ContainerID: 'c' } })],
    ['TaskTemplate.Runtime "plugin"', task({ Runtime: 'plugin' })],
    ['TaskTemplate.Runtime "attachment"', task({ Runtime: 'attachment' })],
    [`${CONTAINER}.Configs[0].Runtime`, containerBody({ Configs: [{ ConfigID: 'c', ConfigName: 'c', Runtime: {} }] })],
    [`${CONTAINER}.Privileges.CredentialSpec`, containerBody({ Privileges: { CredentialSpec: { File: 'f' } } })],
    [`${CONTAINER}.Isolation "hyperv"`, containerBody({ Isolation: 'hyperv' })],
    [`${CONTAINER}.Mounts[0].Type "npipe"`, mount({ Type: 'npipe' })],
    [`${CONTAINER}.Mounts[0].Type "cluster"`, mount({ Type: 'cluster' })],
    [`${CONTAINER}.Mounts[0].ClusterOptions`, mount({ ClusterOptions: { a: 1 } })],
    [`${CONTAINER}.Mounts[0].ImageOptions`, mount({ ImageOptions: { Subpath: 'a' } })],
    [`${CONTAINER}.Mounts[0].VolumeOptions.Subpath`, mount({ VolumeOptions: { Subpath: 'a' } })],
    [`${CONTAINER}.Mounts[0].BindOptions.ReadOnlyNonRecursive`, mount({ BindOptions: { ReadOnlyNonRecursive: true } })],
    [
      `${CONTAINER}.Mounts[0].BindOptions.ReadOnlyForceRecursive`,
      mount({ BindOptions: { ReadOnlyForceRecursive: true } }),
    ],
    ['EndpointSpec.Mode "dnsrr"', serviceBody({ EndpointSpec: { Mode: 'dnsrr' } })],
    ['EndpointSpec.Ports[0].Protocol "sctp"', port({ Protocol: 'sctp', PublishMode: 'host' })],
    [
      `A template in ${CONTAINER}.Hostname: "with" in action 1`,
      containerBody({ Hostname: '{{with .Node}}{{.Hostname}}{{end}}' }),
    ],
    [
      `A template in ${CONTAINER}.Env[1]: a variable in action 1`,
      containerBody({ Env: ['A=1', 'B={{$x := .Task.Slot}}'] }),
    ],
    [`A template in ${CONTAINER}.Mounts[0].Source: "len" in action 1`, mount({ Source: 'data-{{len "a"}}' })],
    [
      `A template in ${CONTAINER}.Mounts[0].VolumeOptions.Labels.a: "range" in action 1`,
      mount({ VolumeOptions: { Labels: { a: '{{range .Service.Labels}}' } } }),
    ],
  ])('%s is refused by name', (field, body) => {
    const error = caught(() => decodeServiceSpec(body));
    expect(error).toMatchObject({ kind: 'unimplemented', code: 'BALE_NOT_IMPLEMENTED' });
    expect(error?.message.startsWith(`${field} is not implemented yet: `)).toBe(true);
  });

  it.each([
    ['empty placement and networks', task({ Placement: { Constraints: [], MaxReplicas: 0 }, Networks: [] })],
    [
      'privileges of zero values, as stack deploy sends them',
      containerBody({ Privileges: { CredentialSpec: null, SELinuxContext: null, NoNewPrivileges: false } }),
    ],
    ['null for swap', task({ Resources: { SwapBytes: null, MemorySwappiness: null } })],
    ['the default isolation and runtime', task({ Runtime: 'container', ContainerSpec: { Isolation: 'default' } })],
    ['no start interval', containerBody({ Healthcheck: { StartInterval: 0 } })],
    ['an empty update config', serviceBody({ UpdateConfig: {} })],
    [
      'the default update config',
      serviceBody({
        UpdateConfig: {
          Parallelism: 1,
          Delay: 0,
          FailureAction: 'pause',
          Monitor: 5e9,
          MaxFailureRatio: 0,
          Order: 'stop-first',
        },
      }),
    ],
    ['udp in host mode', port({ Protocol: 'udp', PublishMode: 'host', PublishedPort: 53 })],
    ['udp in ingress mode', port({ Protocol: 'udp', PublishedPort: 53 })],
    ['words in capitals', port({ Protocol: 'TCP', PublishMode: 'INGRESS' })],
  ])('%s are fine', (_what, body) => {
    expect(caught(() => decodeServiceSpec(body))).toBeUndefined();
  });

  it('looks for zero values in hostile nesting no deeper than it must', () => {
    let nested: unknown = {};
    for (let depth = 0; depth < 50_000; depth += 1) nested = { a: nested };
    expect(caught(() => decodeServiceSpec(containerBody({ Privileges: { CredentialSpec: nested } })))?.kind).toBe(
      'unimplemented',
    );
  });
});
