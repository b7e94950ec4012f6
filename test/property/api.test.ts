import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serviceSpecShape } from '../../proto/engine/service-spec-shape.js';
import { swarmSpecShape } from '../../proto/engine/swarm-spec-shape.js';
import { likeDocument, likeService } from '../support/arbitrary-documents.js';
import { caught, caughtAsync } from '../support/caught.js';
import { openTestApi, type TestApi } from '../support/test-api.js';

const anyBody = fc.oneof(
  { weight: 3, arbitrary: fc.oneof(likeDocument(serviceSpecShape), fc.jsonValue()) },
  { weight: 1, arbitrary: likeService },
);
const anyFilters = fc.dictionary(
  fc.constantFrom('id', 'name', 'label', 'mode', 'role', 'node', 'service', 'desired-state', '_up-to-date', 'x'),
  fc.array(fc.oneof(fc.constantFrom('', 'web', 'running', 'worker', 'a=b'), fc.string())),
);
const anyId = fc.oneof(fc.constantFrom('', 'web', 'vm', '__proto__'), fc.string());
const flag = fc.boolean();
const version = fc.oneof(fc.constant(undefined), fc.constantFrom('', '1', '2', '-1', '1e3'), fc.nat(9).map(String));

/** A call of the API, with what it was for a counterexample. */
type Call = (api: TestApi['api']) => Promise<unknown>;
const reading =
  (call: (api: TestApi['api']) => unknown): Call =>
  (api) =>
    Promise.resolve(caught(() => call(api)));

const anyCall: fc.Arbitrary<Call> = fc.oneof(
  anyBody.map(
    (body): Call =>
      (api) =>
        caughtAsync(api.createService(body)),
  ),
  fc.tuple(anyId, version, anyBody, fc.constantFrom(undefined, '', 'previous', 'x')).map(
    ([id, at, body, rollback]): Call =>
      (api) =>
        caughtAsync(api.updateService(id, at, body, { rollback })),
  ),
  anyId.map(
    (id): Call =>
      (api) =>
        caughtAsync(api.removeService(id)),
  ),
  fc.tuple(anyId, flag).map(
    ([id, force]): Call =>
      (api) =>
        caughtAsync(api.removeNode(id, force)),
  ),
  fc.tuple(version, fc.oneof(likeDocument(swarmSpecShape), fc.jsonValue()), flag, flag, flag).map(
    ([at, body, worker, manager, unlockKey]): Call =>
      (api) =>
        caughtAsync(api.updateSwarm(at, body, { worker, manager, unlockKey })),
  ),
  fc.tuple(anyFilters, flag).map(([filters, status]) => reading((api) => api.services(filters, status))),
  anyFilters.map((filters) => reading((api) => api.nodes(filters))),
  anyFilters.map((filters) => reading((api) => api.tasks(filters))),
  fc.tuple(anyId, flag).map(([id, defaults]) => reading((api) => api.service(id, defaults))),
  anyId.map((id) => reading((api) => api.node(id))),
  anyId.map((id) => reading((api) => api.task(id))),
);

describe('the API under any requests', () => {
  it('answers or refuses, never leaves half an object, and shows what can be sent back', async () => {
    const test = await openTestApi();
    await fc.assert(
      fc.asyncProperty(fc.array(anyCall, { minLength: 1, maxLength: 8 }), async (calls) => {
        for (const call of calls) {
          const { index } = test.store.view;
          // What is no BaleError is thrown on, and fails the property.
          const refused = await call(test.api);
          if (refused !== undefined) expect(test.store.view.index).toBe(index);
        }
        const services = test.api.services({}, true);
        const names = services.map((service) => service.Spec.Name);
        expect(new Set(names).size).toBe(names.length);
        expect(names).not.toContain('');
        const ports = services.flatMap((service) => service.Endpoint.Ports ?? []);
        expect(new Set(ports.map((port) => port.PublishedPort)).size).toBe(ports.length);
        for (const { ID: id, Version } of services.slice(0, 3)) {
          const { index } = test.store.view;
          const shown: unknown = JSON.parse(JSON.stringify(test.api.service(id, true).Spec));
          await test.api.updateService(id, String(Version.Index), shown, { rollback: undefined });
          expect(test.store.view.index).toBe(index);
        }
        for (const service of services) await test.api.removeService(service.ID);
      }),
      { numRuns: 300 },
    );
  });
});
