import type { FastifyInstance } from 'fastify';
import type { Membership } from './membership.js';
import { idOf, queryOf, sendJson, sendJsonPieces } from './route-request.js';

export function taskRoutes(app: FastifyInstance, membership: Membership): void {
  app.get('/tasks', async (request, reply) =>
    sendJsonPieces(reply, 200, (await membership.api()).taskList(queryOf(request).filters())),
  );

  app.get('/tasks/:id', async (request, reply) => sendJson(reply, 200, (await membership.api()).task(idOf(request))));
}
