import { describe, expect, it } from 'vitest';
import { decodeServiceSpec } from '../../../../proto/engine/decode-service-spec.js';
import { always, document, field, type Fields } from '../../../../proto/engine/document-shape.js';
import { text, whole } from '../../../../proto/engine/shape.js';
import { caught } from '../../../support/caught.js';
import { containerBody, serviceBody } from '../../../support/service-body.js';

const message = (body: unknown): string | undefined => caught(() => decodeServiceSpec(body))?.message;

describe('decoding of a document', () => {
  it('shows a spec as the Engine shows it back', () => {
    expect(decodeServiceSpec(serviceBody())).toEqual({
      Name: 'web',
      Labels: {},
      TaskTemplate: {
        ContainerSpec: {
          Image: 'bb:1',
          Args: ['sleep', '1000000'],
          Init: false,
          DNSConfig: {},
          Isolation: 'default',
        },
        Resources: { Limits: {}, Reservations: {} },
        Placement: {},
        ForceUpdate: 0,
        Runtime: 'container',
      },
      Mode: { Replicated: { Replicas: 2 } },
      EndpointSpec: { Mode: 'vip' },
    });
  });

  it('matches keys in any case of letters, and the last of equal ones wins', () => {
    const spec = decodeServiceSpec({ NAME: 'a', name: 'b', tasktemplate: { containerspec: { IMAGE: 'x' } } });
    expect(spec.Name).toBe('b');
    expect(spec.TaskTemplate.ContainerSpec.Image).toBe('x');
  });

  it('ignores keys that the API does not know', () => {
    const spec = decodeServiceSpec(serviceBody({ ExposedPorts: [1], EndpointSpec: { ExposedPorts: { a: 1 } } }));
    expect(spec).toEqual(decodeServiceSpec(serviceBody()));
  });

  it('takes null for absent, and in a list or map for the zero value', () => {
    const spec = decodeServiceSpec({
      Labels: null,
      TaskTemplate: {
        ContainerSpec: { Image: 'x', Args: ['a', null], Labels: { k: null }, Healthcheck: null, Mounts: null },
        Resources: null,
      },
      Mode: null,
    });
    expect(spec.TaskTemplate.ContainerSpec).toEqual({
      Image: 'x',
      Args: ['a', ''],
      Labels: { k: '' },
      Isolation: 'default',
    });
    expect(spec.Mode).toEqual({ Replicated: { Replicas: 1 } });
  });

  it('drops zero values that mean nothing and keeps those that do', () => {
    const { ContainerSpec, RestartPolicy } = decodeServiceSpec(
      serviceBody({
        TaskTemplate: {
          ContainerSpec: { Image: 'x', Init: false, TTY: false, Env: [], Labels: {}, User: '', StopGracePeriod: 0 },
          RestartPolicy: { Condition: '', Delay: 0, MaxAttempts: 0 },
        },
        Mode: { Replicated: { Replicas: 0 } },
      }),
    ).TaskTemplate;
    expect(ContainerSpec).toMatchObject({ Image: 'x', Init: false, StopGracePeriod: 0 });
    for (const key of ['TTY', 'Env', 'Labels', 'User']) expect(ContainerSpec).not.toHaveProperty(key);
    expect(RestartPolicy).toEqual({ Delay: 0, MaxAttempts: 0 });
  });

  it('fills in the type of a mount', () => {
    const spec = decodeServiceSpec(containerBody({ Mounts: [{ Source: '/a', Target: '/b', Type: '' }] }));
    expect(spec.TaskTemplate.ContainerSpec.Mounts).toEqual([{ Type: 'bind', Source: '/a', Target: '/b' }]);
  });

  it('does not share what it fills in between two documents', () => {
    const [one, other] = [serviceBody({ Labels: null }), serviceBody({ Labels: null })].map(decodeServiceSpec);
    expect(one?.Labels).not.toBe(other?.Labels);
  });

  it.each([
    [[], 'invalid ServiceSpec: expected an object, got a list'],
    [null, 'invalid ServiceSpec: expected an object, got null'],
    ['x', 'invalid ServiceSpec: expected an object, got a string'],
    [undefined, 'invalid ServiceSpec: expected an object, got nothing'],
    [serviceBody({ Name: 3 }), 'invalid ServiceSpec: Name: expected a string, got a number'],
    [
      containerBody({ Env: ['a=b', 'c=d', 5] }),
      'invalid ServiceSpec: TaskTemplate.ContainerSpec.Env[2]: expected a string, got a number',
    ],
    [
      containerBody({ Env: 'secret=1' }),
      'invalid ServiceSpec: TaskTemplate.ContainerSpec.Env: expected a list, got a string',
    ],
    [
      containerBody({ TTY: 'yes' }),
      'invalid ServiceSpec: TaskTemplate.ContainerSpec.TTY: expected true or false, got a string',
    ],
    [serviceBody({ Labels: ['a'] }), 'invalid ServiceSpec: Labels: expected an object, got a list'],
    [serviceBody({ Labels: { a: 1 } }), 'invalid ServiceSpec: Labels.a: expected a string, got a number'],
    [JSON.parse('{"Labels":{"__proto__":"x"}}'), 'invalid ServiceSpec: Labels: the key "__proto__" cannot be used'],
    [
      serviceBody({ Mode: { Replicated: { Replicas: -1 } } }),
      'invalid ServiceSpec: Mode.Replicated.Replicas: must be at least 0, got -1',
    ],
    [
      serviceBody({ Mode: { Replicated: { Replicas: 1.5 } } }),
      'invalid ServiceSpec: Mode.Replicated.Replicas: expected a whole number of 64 bits, got 1.5',
    ],
    [
      serviceBody({ Mode: { Replicated: { Replicas: 1e30 } } }),
      'invalid ServiceSpec: Mode.Replicated.Replicas: expected a whole number of 64 bits, got 1e+30',
    ],
    [{ ...serviceBody({}), Mode: { Sideways: { Replicas: 2 } } }, 'invalid ServiceSpec: Mode: unknown mode "Sideways"'],
    [serviceBody({ Mode: { Replicated: {}, Global: {} } }), 'must specify only one service mode'],
    [
      serviceBody({ TaskTemplate: { RestartPolicy: { Condition: 'never' } } }),
      'invalid ServiceSpec: TaskTemplate.RestartPolicy.Condition: must be one of none, on-failure, any, got "never"',
    ],
    [
      serviceBody({ EndpointSpec: { Mode: 'x'.repeat(100) } }),
      `invalid ServiceSpec: EndpointSpec.Mode: must be one of vip, dnsrr, got "${'x'.repeat(64)}…"`,
    ],
  ])('names the field that is wrong in %j', (body, expected) => {
    expect(caught(() => decodeServiceSpec(body))).toMatchObject({ kind: 'invalid', message: expected });
  });

  it('reports a wrong type before a field that is not implemented', () => {
    expect(message(serviceBody({ Mode: { Global: {} }, Labels: 3 }))).toMatch(/^invalid ServiceSpec: Labels/);
  });

  it('takes durations beyond the safe integers of JavaScript', () => {
    const year = 365 * 86_400e9;
    const spec = decodeServiceSpec(serviceBody({ TaskTemplate: { RestartPolicy: { Window: year } } }));
    expect(spec.TaskTemplate.RestartPolicy?.Window).toBe(year);
  });

  it('does not compile without a mark for each field', () => {
    interface Sample {
      Must: string;
      May?: number;
    }
    // @ts-expect-error May has no mark.
    const missing: Fields<Sample> = { Must: always(text, '') };
    // @ts-expect-error Must may be absent in what is read.
    const loose: Fields<Sample> = { Must: field(text), May: field(whole) };
    // @ts-expect-error May is a number.
    const wrong: Fields<Sample> = { Must: always(text, ''), May: field(text) };
    expect([missing, loose, wrong].map((fields) => document(fields).fields)).toHaveLength(3);
  });
});
