import type { FastifyInstance } from 'fastify';
import { isAdmin } from './access.js';
import type { Membership } from './membership.js';
import { notLocked } from './refusals.js';
import { changeOf, jsonBody, queryOf, sendEmpty, sendJson } from './route-request.js';

export function swarmRoutes(app: FastifyInstance, membership: Membership): void {
  app.get('/swarm', async (request, reply) => {
    const { JoinTokens, ...document } = (await membership.api()).swarm();
    // A join token is a way in: it is shown to those who may let machines in.
    return sendJson(reply, 200, isAdmin(request.raw) ? { ...document, JoinTokens } : document);
  });

  app.post('/swarm/init', async (request, reply) =>
    sendJson(reply, 200, await membership.init(jsonBody(request), changeOf(request))),
  );

  app.post('/swarm/join', async (request, reply) => {
    await membership.join(jsonBody(request));
    return sendEmpty(reply, 200);
  });

  app.post('/swarm/leave', async (request, reply) => {
    await membership.leave(queryOf(request).flag('force'));
    return sendEmpty(reply, 200);
  });

  app.post('/swarm/update', async (request, reply) => {
    const api = await membership.changes(changeOf(request));
    const query = queryOf(request);
    await api.updateSwarm(query.text('version'), jsonBody(request), {
      worker: query.bool('rotateWorkerToken', 'short'),
      manager: query.bool('rotateManagerToken', 'short'),
      unlockKey: query.bool('rotateManagerUnlockKey', 'short'),
    });
    return sendEmpty(reply, 200);
  });

  // A cluster of this version is never locked: the answers of an Engine whose cluster is not.
  app.get('/swarm/unlockkey', async (_request, reply) => {
    await membership.api();
    return sendJson(reply, 200, { UnlockKey: '' });
  });

  app.post('/swarm/unlock', async () => {
    await membership.api();
    throw notLocked();
  });
}
