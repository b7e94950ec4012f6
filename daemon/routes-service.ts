import type { FastifyInstance } from 'fastify';
import { imageOptions } from './image-options.js';
import type { ImageResolver } from './image-resolver.js';
import type { Membership } from './membership.js';
import { changeOf, idOf, jsonBody, queryOf, sendEmpty, sendJson, sendJsonPieces } from './route-request.js';

export function serviceRoutes(app: FastifyInstance, membership: Membership, images: ImageResolver): void {
  app.get('/services', async (request, reply) => {
    const query = queryOf(request);
    const api = await membership.api();
    return sendJsonPieces(reply, 200, api.serviceList(query.filters(), query.bool('status', 'with cause')));
  });

  app.post('/services/create', async (request, reply) => {
    const api = await membership.changes(changeOf(request));
    return sendJson(reply, 201, await api.createService(jsonBody(request), imageOptions(request, images)));
  });

  app.get('/services/:id', async (request, reply) =>
    sendJson(
      reply,
      200,
      (await membership.api()).service(idOf(request), queryOf(request).bool('insertDefaults', 'with cause')),
    ),
  );

  app.post('/services/:id/update', async (request, reply) => {
    const api = await membership.changes(changeOf(request));
    const query = queryOf(request);
    const answer = await api.updateService(idOf(request), query.text('version'), jsonBody(request), {
      rollback: query.text('rollback'),
      ...imageOptions(request, images),
    });
    return sendJson(reply, 200, answer);
  });

  app.get('/bale/services/:id/history', async (request, reply) =>
    sendJson(reply, 200, (await membership.api()).history(idOf(request))),
  );

  app.post('/bale/services/:id/rollback', async (request, reply) =>
    sendJson(
      reply,
      200,
      await (await membership.changes(changeOf(request))).rollBackTo(idOf(request), queryOf(request).text('to')),
    ),
  );

  app.post('/bale/services/:id/rebalance', async (request, reply) =>
    sendJson(reply, 200, await (await membership.changes(changeOf(request))).rebalance(idOf(request))),
  );

  app.get('/bale/services/:id/schedule', async (request, reply) =>
    sendJson(reply, 200, (await membership.api()).schedule(idOf(request))),
  );

  app.post('/bale/services/:id/run', async (request, reply) =>
    sendJson(reply, 200, await (await membership.changes(changeOf(request))).runJob(idOf(request))),
  );

  app.delete('/services/:id', async (request, reply) => {
    await (await membership.changes(changeOf(request))).removeService(idOf(request));
    return sendEmpty(reply, 200);
  });
}
