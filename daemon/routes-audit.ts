import type { FastifyInstance } from 'fastify';
import type { Membership } from './membership.js';
import { queryOf, sendJson } from './route-request.js';

/** The record of changes. It is written with them alone: there is no route that changes it. */
export function auditRoutes(app: FastifyInstance, membership: Membership): void {
  app.get('/bale/audit', async (request, reply) => {
    const query = queryOf(request);
    const wanted = {
      since: query.text('since'),
      until: query.text('until'),
      object: query.text('object'),
      who: query.text('who'),
      limit: query.text('limit'),
    };
    return sendJson(reply, 200, (await membership.api()).audit(wanted));
  });
}
