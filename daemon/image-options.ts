import type { FastifyRequest } from 'fastify';
import type { ImageOptions } from '../manager/api/image-options.js';
import { decodeAuthHeader } from '../proto/registry/auth-config.js';
import type { ImageResolver } from './image-resolver.js';
import { queryOf } from './route-request.js';

/**
 * What a create or update says of images, besides the spec. `queryRegistry` says whether the daemon looks
 * the digest up. Without it docker's CLI has had its say, it looks up by itself or was told not to; for
 * all other clients the daemon does.
 */
export function imageOptions(request: FastifyRequest, images: Pick<ImageResolver, 'resolve'>): ImageOptions {
  const query = queryOf(request);
  const registryAuth = decodeAuthHeader(single(request.headers['x-registry-auth']));
  const asked = query.text('queryRegistry') === undefined ? undefined : query.flag('queryRegistry');
  const resolves = asked ?? !isDockerCli(request.headers['user-agent']);
  return {
    registryAuth,
    registryAuthFrom: query.text('registryAuthFrom'),
    ...(resolves ? { resolveImage: (image: string) => images.resolve(image, registryAuth) } : {}),
    resolveAgain: asked === true,
  };
}

const isDockerCli = (userAgent: string | undefined): boolean => userAgent?.startsWith('Docker-Client/') === true;

const single = (header: string | readonly string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : header?.[0];
