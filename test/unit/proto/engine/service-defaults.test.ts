import { describe, expect, it } from 'vitest';
import { decodeServiceSpec } from '../../../../proto/engine/decode-service-spec.js';
import { insertServiceDefaults } from '../../../../proto/engine/service-defaults.js';
import { serviceBody } from '../../../support/service-body.js';

const UPDATE_DEFAULTS = {
  Parallelism: 1,
  FailureAction: 'pause',
  Monitor: 5e9,
  MaxFailureRatio: 0,
};

describe('defaults of a service', () => {
  it('adds what the Engine adds', () => {
    const spec = decodeServiceSpec(serviceBody());
    expect(insertServiceDefaults(spec)).toEqual({
      ...spec,
      TaskTemplate: {
        ...spec.TaskTemplate,
        ContainerSpec: { ...spec.TaskTemplate.ContainerSpec, StopGracePeriod: 10e9 },
        RestartPolicy: { Condition: 'any', Delay: 5e9, MaxAttempts: 0 },
      },
      UpdateConfig: UPDATE_DEFAULTS,
      RollbackConfig: UPDATE_DEFAULTS,
    });
  });

  it('keeps what was given', () => {
    const given = decodeServiceSpec(
      serviceBody({
        TaskTemplate: { ContainerSpec: { StopGracePeriod: 0 }, RestartPolicy: { Condition: 'none', Delay: 0 } },
      }),
    );
    const { ContainerSpec, RestartPolicy } = insertServiceDefaults(given).TaskTemplate;
    expect(ContainerSpec.StopGracePeriod).toBe(0);
    expect(RestartPolicy).toEqual({ Condition: 'none', Delay: 0, MaxAttempts: 0 });
  });

  it('adds the parts of a template that was sent bare, and what is missing of a configuration', () => {
    const { DNSConfig, ...ContainerSpec } = decodeServiceSpec(serviceBody()).TaskTemplate.ContainerSpec;
    const shown = insertServiceDefaults(
      decodeServiceSpec({ TaskTemplate: { ContainerSpec }, UpdateConfig: { Parallelism: 2, Monitor: 0 } }),
    );
    expect(shown.TaskTemplate.ContainerSpec.DNSConfig).toEqual(DNSConfig);
    expect(shown.TaskTemplate).toMatchObject({ Resources: {}, Placement: {} });
    expect(shown.UpdateConfig).toEqual({ ...UPDATE_DEFAULTS, Parallelism: 2 });
  });

  it('is taken back when it is sent', () => {
    const spec = decodeServiceSpec(serviceBody());
    const shown: unknown = JSON.parse(JSON.stringify(insertServiceDefaults(spec)));
    expect(decodeServiceSpec(shown)).toEqual(insertServiceDefaults(spec));
  });
});
