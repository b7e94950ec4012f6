import type { FastifyInstance } from 'fastify';
import type { Membership } from './membership.js';
import { notImplemented } from './refusals.js';
import { refuseRegistryAuth } from './registry-auth.js';
import { idOf, jsonBody, queryOf, sendEmpty, sendJson } from './route-request.js';

export function serviceRoutes(app: FastifyInstance, membership: Membership): void {
  app.get('/services', async (request, reply) => {
    const query = queryOf(request);
    return sendJson(reply, 200, (await membership.api()).services(query.filters(), query.flag('status')));
  });

  app.post('/services/create', async (request, reply) => {
    const api = await membership.api();
    refuseRegistryAuth(request.headers['x-registry-auth']);
    return sendJson(reply, 201, await api.createService(jsonBody(request)));
  });

  app.get('/services/:id', async (request, reply) =>
    sendJson(reply, 200, (await membership.api()).service(idOf(request), queryOf(request).flag('insertDefaults'))),
  );

  app.post('/services/:id/update', async (request, reply) => {
    const api = await membership.api();
    refuseRegistryAuth(request.headers['x-registry-auth']);
    const query = queryOf(request);
    const answer = await api.updateService(idOf(request), query.text('version'), jsonBody(request), {
      rollback: query.text('rollback'),
    });
    return sendJson(reply, 200, answer);
  });

  app.get('/bale/services/:id/history', async (request, reply) =>
    sendJson(reply, 200, (await membership.api()).history(idOf(request))),
  );

  app.post('/bale/services/:id/rollback', async (request, reply) =>
    sendJson(reply, 200, await (await membership.api()).rollBackTo(idOf(request), queryOf(request).text('to'))),
  );

  app.post('/bale/services/:id/rebalance', async (request, reply) =>
    sendJson(reply, 200, await (await membership.api()).rebalance(idOf(request))),
  );

  app.delete('/services/:id', async (request, reply) => {
    await (await membership.api()).removeService(idOf(request));
    return sendEmpty(reply, 200);
  });

  app.get('/services/:id/logs', async (request) => {
    (await membership.api()).service(idOf(request), false);
    throw notImplemented('service logs are');
  });
}
