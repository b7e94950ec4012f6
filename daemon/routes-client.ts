import type { FastifyInstance } from 'fastify';
import type { Membership } from './membership.js';
import { changeOf, idOf, jsonBody, sendEmpty, sendJson } from './route-request.js';

/** Client certificates: who may use the API from other machines. */
export function clientRoutes(app: FastifyInstance, membership: Membership): void {
  app.get('/bale/client-certificates', async (_request, reply) =>
    sendJson(reply, 200, (await membership.manager()).clients.list()),
  );

  app.post('/bale/client-certificates/create', async (request, reply) => {
    const clients = (await membership.manager()).clientsFor(changeOf(request));
    return sendJson(reply, 201, await clients.create(jsonBody(request)));
  });

  app.delete('/bale/client-certificates/:id', async (request, reply) => {
    await (await membership.manager()).clientsFor(changeOf(request)).revoke(idOf(request));
    return sendEmpty(reply, 200);
  });
}
