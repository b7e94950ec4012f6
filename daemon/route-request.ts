import type { FastifyReply, FastifyRequest } from 'fastify';
import { pageNotFound } from './error-answer.js';
import { parseJsonBody } from './json-body.js';
import { Query } from './query.js';

export const queryOf = (request: FastifyRequest): Query => {
  const url = request.url;
  const mark = url.indexOf('?');
  return new Query(mark < 0 ? '' : url.slice(mark + 1));
};

/** The body as parsed JSON, not validated. Throws BALE_BODY_INVALID. */
export const jsonBody = (request: FastifyRequest): unknown =>
  parseJsonBody(request.headers['content-type'], request.body instanceof Uint8Array ? request.body : undefined);

/** The value of `:id`. Throws BALE_PAGE_NOT_FOUND for an empty one: there is no such page. */
export function idOf(request: FastifyRequest): string {
  const { params } = request;
  const hasId = typeof params === 'object' && params !== null && 'id' in params;
  if (!hasId || typeof params.id !== 'string' || params.id === '') throw pageNotFound();
  return params.id;
}

/** An answer in the Engine's form: JSON with a line end. As bytes: to text Fastify adds a charset, which an Engine has not. */
export const sendJson = (reply: FastifyReply, status: number, document: unknown): FastifyReply =>
  reply
    .code(status)
    .header('Content-Type', 'application/json')
    .send(Buffer.from(`${JSON.stringify(document)}\n`));

/** Success without a document. */
export const sendEmpty = (reply: FastifyReply, status: number): FastifyReply =>
  reply.code(status).header('Content-Length', '0').send();
