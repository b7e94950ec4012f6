import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ChangeRequest } from '../manager/audit/audit-record.js';
import { pageNotFound } from './error-answer.js';
import { parseJsonBody } from './json-body.js';
import { Query } from './query.js';
import { requesterOf } from './requester.js';

export const queryOf = (request: FastifyRequest): Query => {
  const url = request.url;
  const mark = url.indexOf('?');
  return new Query(mark < 0 ? '' : url.slice(mark + 1));
};

/** Who asks to change something, and by which route: what the audit records of it. */
export const changeOf = ({ raw, method, routeOptions }: FastifyRequest): ChangeRequest => ({
  who: requesterOf(raw),
  request: `${method} ${routeOptions.url ?? ''}`,
});

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

/** As `sendJson`, of text that is made while it is sent: nobody waits until there is all of it. */
export function sendJsonPieces(reply: FastifyReply, status: number, pieces: Iterable<string>): FastifyReply {
  const bytes = withLineEnd(pieces);
  const first = bytes.next();
  const second = bytes.next();
  reply.code(status).header('Content-Type', 'application/json');
  if (first.done === true || second.done === true) return reply.send(first.value ?? Buffer.from('\n'));
  const rest = (function* () {
    yield* [first.value, second.value];
    yield* bytes;
  })();
  return reply.send(Readable.from(rest, { objectMode: false }));
}

/** Each piece comes with the knowledge that another follows: the last one has the line end. */
function* withLineEnd(pieces: Iterable<string>): Generator<Buffer, undefined, undefined> {
  let last: string | undefined;
  for (const piece of pieces) {
    if (last !== undefined) yield Buffer.from(last);
    last = piece;
  }
  if (last !== undefined) yield Buffer.from(`${last}\n`);
}

/** Success without a document. */
export const sendEmpty = (reply: FastifyReply, status: number): FastifyReply =>
  reply.code(status).header('Content-Length', '0').send();
