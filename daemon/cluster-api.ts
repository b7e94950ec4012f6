import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Clock } from '../core/clock.js';
import { BaleError, errorMessage, isBaleError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { dockerConfigCredentials } from '../proto/registry/registry-credentials.js';
import { parseApiPath } from './api-path.js';
import type { EngineClient } from './engine-client.js';
import { errorAnswer, pageNotFound } from './error-answer.js';
import type { ApiHandler } from './front.js';
import { ImageResolver } from './image-resolver.js';
import { BODY_LIMIT, bodyTooLarge, contentTypeRefused, drain, isBodyTooLarge } from './json-body.js';
import type { Membership } from './membership.js';
import { logRoutes } from './routes-logs.js';
import { clientRoutes } from './routes-client.js';
import { auditRoutes } from './routes-audit.js';
import { nodeRoutes } from './routes-node.js';
import { secretRoutes } from './routes-secret.js';
import { serviceRoutes } from './routes-service.js';
import { swarmRoutes } from './routes-swarm.js';
import { systemRoutes } from './routes-system.js';
import { taskRoutes } from './routes-task.js';

const LONGEST_ID = 1_000;

export interface ClusterApiOptions {
  readonly membership: Membership;
  readonly engine: EngineClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ClusterApi {
  readonly handle: ApiHandler;
  /** Every route that there is, as `METHOD /path/:id`. */
  readonly routes: readonly string[];
  close(): Promise<void>;
}

/** Documents are checked by proto/engine, not by the framework: without its schema compilers a daemon is 2 MB smaller. */
const noSchemas = (): never => {
  throw new Error('routes of the cluster API have no schema');
};

/** The routes of the cluster API. It has no socket of its own: the front hands requests over. */
export async function createClusterApi({ membership, engine, clock, logger }: ClusterApiOptions): Promise<ClusterApi> {
  const app = fastify({
    bodyLimit: BODY_LIMIT,
    exposeHeadRoutes: false,
    // What the router itself refuses, before there is a route.
    frameworkErrors: (error, request, reply) => {
      void sendError(reply, translate(error, request), logger);
    },
    rewriteUrl: ({ url }) => {
      const { path, query } = parseApiPath(url ?? '/');
      return path + query;
    },
    routerOptions: {
      maxParamLength: LONGEST_ID,
      // Queries are read by name from the URL (query.ts): clients put whole bodies into them.
      querystringParser: () => ({}),
    },
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  });
  const routes: string[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) routes.push(`${one} ${url}`);
  });
  keepBodiesRaw(app);
  app.setNotFoundHandler((_request, reply) => sendError(reply, pageNotFound(), logger));
  app.setErrorHandler(async (error, request, reply) => {
    const translated = translate(error, request);
    if (isBodyTooLarge(translated)) await drain(request.raw);
    return sendError(reply, translated, logger);
  });
  systemRoutes(app, { membership, engine });
  swarmRoutes(app, membership);
  nodeRoutes(app, membership);
  clientRoutes(app, membership);
  const credentials = dockerConfigCredentials();
  serviceRoutes(app, membership, new ImageResolver({ engine, credentials, clock, logger }));
  taskRoutes(app, membership);
  logRoutes(app, membership);
  secretRoutes(app, membership);
  auditRoutes(app, membership);
  await app.ready();
  return {
    routes,
    handle: (request, response) => {
      app.routing(request, response);
    },
    close: () => app.close(),
  };
}

/** Bodies stay bytes here; each route says what it takes, with the Engine's words when it is something else. */
function keepBodiesRaw(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
}

/** Fastify's own refusals, in our words. */
function translate(error: unknown, request: FastifyRequest): unknown {
  if (typeof error !== 'object' || error === null || !('code' in error)) return error;
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return bodyTooLarge();
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return contentTypeRefused(request.headers['content-type']);
  if (error.code === 'FST_ERR_BAD_URL') return badPath();
  if (error.code === 'FST_ERR_MAX_PARAM_LENGTH') return noSuchId();
  // A method the router has no tree for.
  if (error.code === 'FST_ERR_NOT_FOUND' || request.is404) return pageNotFound();
  return error;
}

const badPath = (): BaleError =>
  new BaleError('invalid URL: a % of the path is not followed by two hexadecimal digits of UTF-8', {
    kind: 'invalid',
    code: 'BALE_PATH_INVALID',
  });

const noSuchId = (): BaleError =>
  new BaleError(`no id or name of more than ${LONGEST_ID} characters was found`, {
    kind: 'not-found',
    code: 'BALE_NOT_FOUND',
  });

function sendError(reply: FastifyReply, error: unknown, logger: Logger): FastifyReply {
  if (!isBaleError(error)) logger.error({ err: errorMessage(error) }, 'a request failed unexpectedly');
  const { status, contentType, body } = errorAnswer(error, reply.request.originalUrl);
  return reply.code(status).header('Content-Type', contentType).send(Buffer.from(body));
}
