import type { FastifyInstance } from 'fastify';
import { isBaleError } from '../core/errors.js';
import { parseApiPath } from './api-path.js';
import type { EngineClient } from './engine-client.js';
import type { Membership } from './membership.js';
import { sendJson } from './route-request.js';
import { BALE_VERSION } from './version.js';

/** How long the Engine may take for `/info`, which asks all its drivers, ms. */
const PATIENCE_MS = 20_000;

/** `/version` and `/info`: the Engine's documents with our parts. */
export function systemRoutes(
  app: FastifyInstance,
  { membership, engine }: { readonly membership: Membership; readonly engine: EngineClient },
): void {
  /** The Engine's document in the version that the client asked for. */
  const ask = (originalUrl: string): Promise<Record<string, unknown>> => {
    const { version, path } = parseApiPath(originalUrl);
    return engine.document(version === undefined ? path : `/v${version}${path}`, AbortSignal.timeout(PATIENCE_MS));
  };

  /** What the Engine said of itself last. */
  let lastInfo: Record<string, unknown> = {};

  app.get('/version', async (request, reply) => {
    const document = await ask(request.originalUrl);
    const components: unknown[] = Array.isArray(document.Components) ? document.Components : [];
    const bale = { Name: 'bale', Version: BALE_VERSION, Details: { NodeVersion: process.version } };
    return sendJson(reply, 200, { ...document, Components: [...components, bale] });
  });

  app.get('/info', async (request, reply) => {
    const swarm = await membership.info();
    try {
      lastInfo = await ask(request.originalUrl);
      return await sendJson(reply, 200, { ...lastInfo, Swarm: swarm });
    } catch (error) {
      // Clients ask for it before they look at nodes and services, and that must work without an Engine.
      if (!membership.isMember || !isBaleError(error)) throw error;
      return await sendJson(reply, 200, { ...lastInfo, Swarm: swarm, Warnings: [error.message] });
    }
  });
}
