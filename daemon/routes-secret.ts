import type { FastifyInstance } from 'fastify';
import type { Membership } from './membership.js';
import { idOf, jsonBody, queryOf, sendEmpty, sendJson } from './route-request.js';

/** `/secrets` and `/configs`, whose verbs are the same. */
export function secretRoutes(app: FastifyInstance, membership: Membership): void {
  for (const noun of ['secrets', 'configs'] as const) {
    const verbs = async () => (await membership.api())[noun];

    app.get(`/${noun}`, async (request, reply) =>
      sendJson(reply, 200, (await verbs()).list(queryOf(request).filters())),
    );

    app.post(`/${noun}/create`, async (request, reply) =>
      sendJson(reply, 201, await (await verbs()).create(jsonBody(request))),
    );

    app.get(`/${noun}/:id`, async (request, reply) => sendJson(reply, 200, (await verbs()).inspect(idOf(request))));

    app.post(`/${noun}/:id/update`, async (request, reply) => {
      await (await verbs()).update(idOf(request), queryOf(request).text('version'), jsonBody(request));
      return sendEmpty(reply, 200);
    });

    app.delete(`/${noun}/:id`, async (request, reply) => {
      await (await verbs()).remove(idOf(request));
      return reply.code(204).send();
    });

    app.get(`/bale/${noun}/:id/versions`, async (request, reply) =>
      sendJson(reply, 200, (await verbs()).versions(idOf(request))),
    );

    app.post(`/bale/${noun}/:id/rotate`, async (request, reply) =>
      sendJson(reply, 200, await (await verbs()).rotate(idOf(request), jsonBody(request))),
    );
  }
}
