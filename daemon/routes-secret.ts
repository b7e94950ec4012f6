import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Membership } from './membership.js';
import { changeOf, idOf, jsonBody, queryOf, sendEmpty, sendJson } from './route-request.js';

/** `/secrets` and `/configs`, whose verbs are the same. */
export function secretRoutes(app: FastifyInstance, membership: Membership): void {
  for (const noun of ['secrets', 'configs'] as const) {
    const verbs = async () => (await membership.api())[noun];
    const changes = async (request: FastifyRequest) => (await membership.changes(changeOf(request)))[noun];

    app.get(`/${noun}`, async (request, reply) =>
      sendJson(reply, 200, (await verbs()).list(queryOf(request).filters())),
    );

    app.post(`/${noun}/create`, async (request, reply) =>
      sendJson(reply, 201, await (await changes(request)).create(jsonBody(request))),
    );

    app.get(`/${noun}/:id`, async (request, reply) => sendJson(reply, 200, (await verbs()).inspect(idOf(request))));

    app.post(`/${noun}/:id/update`, async (request, reply) => {
      await (await changes(request)).update(idOf(request), queryOf(request).text('version'), jsonBody(request));
      return sendEmpty(reply, 200);
    });

    app.delete(`/${noun}/:id`, async (request, reply) => {
      await (await changes(request)).remove(idOf(request));
      return reply.code(204).send();
    });

    app.get(`/bale/${noun}/:id/versions`, async (request, reply) =>
      sendJson(reply, 200, (await verbs()).versions(idOf(request))),
    );

    app.post(`/bale/${noun}/:id/rotate`, async (request, reply) =>
      sendJson(reply, 200, await (await changes(request)).rotate(idOf(request), jsonBody(request))),
    );
  }
}
