import fc from 'fast-check';
import type { Shape } from '../../proto/engine/shape.js';

export const oddNumber = fc.oneof(
  fc.integer({ min: 0, max: 10 }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(100_000, 100_001, 2 ** 53, 2 ** 63, 2 ** 64, -1, 0.5),
);

const TEXTS = [
  '',
  'x',
  'a=b',
  'host',
  'tcp',
  'udp',
  'ingress',
  'any',
  'bb:1',
  '/a',
  'bale.x',
  '{{.Task}}',
  '127.0.0.1',
];

const leaf = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, [], {}, [null], ...TEXTS),
  fc.constantFrom<unknown>(['x'], [''], [{}], { a: 'b' }, { a: null }, { 'bale.port.80.protocol': 'tcp' }),
  oddNumber,
  fc.jsonValue({ maxDepth: 3 }),
);

/** A body whose keys are mostly those of the document, in mixed case, and whose values are mostly wrong. */
export function likeDocument(shape: Pick<Shape<unknown>, 'fields' | 'container'>): fc.Arbitrary<unknown> {
  const { fields, container } = shape;
  if (fields === undefined) return leaf;
  const entries = Object.entries(fields).map(([name, field]) => {
    const value = field.mark === 'read' ? likeDocument(field.shape) : leaf;
    return fc.tuple(fc.constantFrom(name, name, name.toLowerCase(), `${name}x`), value);
  });
  const document = fc
    .tuple(...entries.map((entry) => fc.option(entry, { freq: 2, nil: undefined })))
    .map((present) => Object.fromEntries(present.filter((entry) => entry !== undefined)));
  const whole = container === 'list' ? fc.array(document, { maxLength: 3 }) : document;
  return fc.oneof({ weight: 9, arbitrary: whole }, { weight: 1, arbitrary: leaf });
}

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const labels = fc.dictionary(word, fc.string({ maxLength: 5 }), { maxKeys: 3 });
const nanoseconds = fc.integer({ min: 1_000_000, max: 2_000_000_000 });

/** A body that is a good ServiceSpec, in the many ways clients write one. */
export const likeService: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    Name: some(word),
    Labels: some(labels),
    TaskTemplate: fc.record(
      {
        ContainerSpec: fc.record(
          {
            Image: word,
            Args: some(fc.array(fc.string(), { maxLength: 3 })),
            Env: some(fc.array(word, { maxLength: 3 })),
            Init: some(fc.boolean()),
            TTY: some(fc.boolean()),
            StopGracePeriod: some(nanoseconds),
            Healthcheck: some(
              fc.record({ Test: fc.constant(['CMD', 'true']), Interval: nanoseconds }, { requiredKeys: [] }),
            ),
            Mounts: some(
              fc.uniqueArray(
                word.map((name) => ({ Type: 'volume', Source: name, Target: `/${name}` })),
                { maxLength: 3, selector: (mount) => mount.Target },
              ),
            ),
          },
          { requiredKeys: ['Image'] },
        ),
        Resources: some(
          fc.record(
            { Limits: fc.record({ NanoCPUs: nanoseconds }, { requiredKeys: [] }), Reservations: fc.constant({}) },
            { requiredKeys: [] },
          ),
        ),
        RestartPolicy: some(
          fc.record(
            { Condition: fc.constantFrom('none', 'any', 'on-failure', ''), Delay: nanoseconds, MaxAttempts: fc.nat(9) },
            { requiredKeys: [] },
          ),
        ),
        Placement: some(fc.constant({})),
        ForceUpdate: some(fc.constant(0)),
      },
      { requiredKeys: ['ContainerSpec'] },
    ),
    Mode: some(fc.record({ Replicated: some(fc.record({ Replicas: fc.nat(20) }, { requiredKeys: [] })) })),
    UpdateConfig: some(fc.constantFrom({}, { Parallelism: 1 }, { Parallelism: 1, Order: 'stop-first' })),
    EndpointSpec: some(
      fc.record(
        {
          Mode: fc.constantFrom('vip', ''),
          Ports: fc.uniqueArray(
            fc.record({ TargetPort: fc.integer({ min: 1, max: 9 }), PublishedPort: fc.integer({ min: 1, max: 99 }) }),
            { maxLength: 3, selector: (port) => port.PublishedPort },
          ),
        },
        { requiredKeys: [] },
      ),
    ),
  },
  { requiredKeys: ['TaskTemplate'] },
);
