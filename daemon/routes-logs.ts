import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { pipeline } from 'node:stream';
import type { LogQuery } from '../manager/logs/log-options.js';
import type { LogStream } from '../manager/logs/logs.js';
import { compareVersions, parseApiPath } from './api-path.js';
import type { Membership } from './membership.js';
import { idOf, queryOf } from './route-request.js';

/** From this version on a client is told by the type of the answer that it is multiplexed. */
const TYPED_SINCE = '1.42';

export function logRoutes(app: FastifyInstance, membership: Membership): void {
  app.get('/services/:id/logs', async (request, reply) => {
    const { logs } = await membership.manager();
    send(reply, logs.ofService(idOf(request), logQuery(request)), versionOf(request, reply));
    return reply;
  });

  app.get('/tasks/:id/logs', async (request, reply) => {
    const { logs } = await membership.manager();
    send(reply, logs.ofTask(idOf(request), logQuery(request)), versionOf(request, reply));
    return reply;
  });
}

function logQuery(request: FastifyRequest): LogQuery {
  const query = queryOf(request);
  return {
    follow: query.flag('follow'),
    stdout: query.flag('stdout'),
    stderr: query.flag('stderr'),
    timestamps: query.flag('timestamps'),
    details: query.flag('details'),
    since: query.text('since'),
    until: query.text('until'),
    tail: query.text('tail'),
  };
}

/** The version that the client speaks; without one in the path, the Engine's own. */
const versionOf = (request: FastifyRequest, reply: FastifyReply): string =>
  parseApiPath(request.originalUrl).version ?? String(reply.raw.getHeader('Api-Version') ?? TYPED_SINCE);

/** The head goes ahead at once: who follows a silent log waits for it. Either side that goes away ends the other. */
function send(reply: FastifyReply, { multiplexed, body }: LogStream, version: string): void {
  reply.hijack();
  const typed = multiplexed && compareVersions(version, TYPED_SINCE) >= 0;
  reply.raw.writeHead(200, {
    'Content-Type': `application/vnd.docker.${typed ? 'multiplexed' : 'raw'}-stream`,
  });
  reply.raw.flushHeaders();
  pipeline(body, reply.raw, () => {
    // Broken off: pipeline has destroyed both, which is all there is to tell.
  });
}
