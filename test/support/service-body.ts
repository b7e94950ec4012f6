/** A body of `/services/create` as the docker CLI sends it, with `over` merged into it, deep. */
export function serviceBody(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return merge(
    {
      Name: 'web',
      Labels: {},
      TaskTemplate: {
        ContainerSpec: { Image: 'bb:1', Args: ['sleep', '1000000'], Init: false, DNSConfig: {} },
        Resources: { Limits: {}, Reservations: {} },
        Placement: {},
        ForceUpdate: 0,
      },
      Mode: { Replicated: { Replicas: 2 } },
      EndpointSpec: { Mode: 'vip' },
    },
    over,
  );
}

/** The same with `fields` in its ContainerSpec. */
export const containerBody = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  serviceBody({ TaskTemplate: { ContainerSpec: fields } });

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function merge(base: Record<string, unknown>, over: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const present = merged[key];
    merged[key] = isRecord(present) && isRecord(value) ? merge(present, value) : value;
  }
  return merged;
}
