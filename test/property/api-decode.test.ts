import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeServiceSpec } from '../../proto/engine/decode-service-spec.js';
import { insertServiceDefaults } from '../../proto/engine/service-defaults.js';
import { serviceSpecShape } from '../../proto/engine/service-spec-shape.js';
import { decodeSwarmInit, decodeSwarmJoin, swarmInitShape, swarmJoinShape } from '../../proto/engine/swarm-request.js';
import { decodeSwarmSpec, swarmSpecShape } from '../../proto/engine/swarm-spec-shape.js';
import { caught } from '../support/caught.js';
import { likeDocument, likeService, oddNumber } from '../support/arbitrary-documents.js';

const RUNS = { numRuns: 2_000 };

describe('reading of documents', () => {
  it.each([
    ['ServiceSpec', decodeServiceSpec, serviceSpecShape],
    ['SwarmSpec', decodeSwarmSpec, swarmSpecShape],
    ['SwarmInitRequest', decodeSwarmInit, swarmInitShape],
    ['SwarmJoinRequest', decodeSwarmJoin, swarmJoinShape],
  ] as const)('%s: anything is read, or refused as invalid or not implemented', (_name, decode, shape) => {
    fc.assert(
      fc.property(fc.oneof(likeDocument(shape), fc.jsonValue()), (body) => {
        // `caught` lets through whatever is not a BaleError.
        const error = caught(() => decode(body));
        if (error !== undefined) expect(['invalid', 'unimplemented']).toContain(error.kind);
      }),
      RUNS,
    );
  });

  it('what was read is read again as the same, with and without inserted defaults', () => {
    fc.assert(
      fc.property(likeService, (body) => {
        const spec = decodeServiceSpec(body);
        expect(decodeServiceSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
        const filled = insertServiceDefaults(spec);
        expect(decodeServiceSpec(JSON.parse(JSON.stringify(filled)))).toEqual(filled);
      }),
      RUNS,
    );
  });

  it('the letter case of keys makes no difference', () => {
    const shout = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shout);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toUpperCase(), shout(inner)]));
    };
    fc.assert(
      fc.property(likeService, (body) => {
        // Labels are a map, whose keys are the user's own.
        const { Labels, ...rest } = body;
        const shouted = { ...(shout(rest) as Record<string, unknown>), LABELS: Labels };
        expect(decodeServiceSpec(shouted)).toEqual(decodeServiceSpec(body));
      }),
      RUNS,
    );
  });

  it('a number is never read as another one', () => {
    fc.assert(
      fc.property(oddNumber, (Replicas) => {
        const body = { TaskTemplate: { ContainerSpec: { Image: 'x' } }, Mode: { Replicated: { Replicas } } };
        const error = caught(() => decodeServiceSpec(body));
        if (error === undefined) expect(decodeServiceSpec(body).Mode.Replicated?.Replicas).toBe(Replicas);
        else expect(Number.isInteger(Replicas) && Replicas >= 0 && Replicas <= 100_000).toBe(false);
      }),
      RUNS,
    );
  });
});
