import type { FastifyInstance } from 'fastify';
import { isAdmin, refuseRoleChange } from './access.js';
import type { Membership } from './membership.js';
import { changeOf, idOf, jsonBody, queryOf, sendEmpty, sendJson } from './route-request.js';

export function nodeRoutes(app: FastifyInstance, membership: Membership): void {
  app.get('/nodes', async (request, reply) =>
    sendJson(reply, 200, (await membership.api()).nodes(queryOf(request).filters())),
  );

  app.get('/nodes/:id', async (request, reply) => sendJson(reply, 200, (await membership.api()).node(idOf(request))));

  app.delete('/nodes/:id', async (request, reply) => {
    await (await membership.changes(changeOf(request))).removeNode(idOf(request), queryOf(request).flag('force'));
    return sendEmpty(reply, 200);
  });

  app.post('/bale/nodes/:id/drain', async (request, reply) => {
    const query = queryOf(request);
    await (
      await membership.changes(changeOf(request))
    ).drainNode(idOf(request), query.text('version'), {
      deadline: query.text('deadline'),
      maxParallel: query.text('max-parallel'),
    });
    return sendEmpty(reply, 200);
  });

  app.post('/nodes/:id/update', async (request, reply) => {
    const api = await membership.changes(changeOf(request));
    const body = jsonBody(request);
    if (!isAdmin(request.raw)) refuseRoleChange(request.raw, api.node(idOf(request)).Spec.Role, body);
    await api.updateNode(idOf(request), queryOf(request).text('version'), body);
    return sendEmpty(reply, 200);
  });
}
