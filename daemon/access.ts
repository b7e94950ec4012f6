import type { IncomingMessage } from 'node:http';
import { BaleError, errorMessage } from '../core/errors.js';
import type { ClientRole } from '../proto/client-certificate.js';
import { parseApiPath } from './api-path.js';
import type { EngineClient } from './engine-client.js';
import { readBody } from './network-create.js';
import { requesterOf } from './requester.js';
import { type AccessDecision, decideAccess, forbidden } from './role-table.js';

/** The label that each container of a task carries; an agent gives it, with the id of its node. */
const NODE_LABEL = 'com.docker.swarm.node.id';
/** How long the local Engine may take to say whose container it is, ms. */
const PATIENCE_MS = 10_000;

type Request = Pick<IncomingMessage, 'method' | 'url' | 'socket'>;

/** Whether this request may be answered at all. Throws for a connection that nobody vouched for. */
export function accessOf(request: Request): AccessDecision {
  const requester = requesterOf(request);
  switch (requester.kind) {
    case 'socket':
      return { kind: 'allow', scope: 'any', reason: 'the unix socket is as good as being root' };
    case 'certificate':
      return decideAccess(requester.role, request.method ?? 'GET', parseApiPath(request.url ?? '/').path);
  }
}

/** Whether requests of this connection come from one who may do everything. */
export function isAdmin(request: Pick<IncomingMessage, 'socket'>): boolean {
  const requester = requesterOf(request);
  return requester.kind === 'socket' || requester.role === 'admin';
}

const roleOf = (request: Pick<IncomingMessage, 'socket'>): ClientRole => {
  const requester = requesterOf(request);
  return requester.kind === 'socket' ? 'admin' : requester.role;
};

/** Throws BALE_CLIENT_ROLE_FORBIDDEN when a NodeSpec would give a node another role: that is a matter of membership. */
export function refuseRoleChange(request: Pick<IncomingMessage, 'socket'>, present: string, spec: unknown): void {
  // Go matches keys in any case of letters.
  const given = Object.entries(record(spec)).filter(([key]) => key.toLowerCase() === 'role');
  // A spec that names none means a worker.
  const asked = given.map(([, role]) => (role === '' || role === null ? 'worker' : role));
  if ((asked.length === 0 ? ['worker'] : asked).every((role) => role === present)) return;
  throw forbidden(roleOf(request), "a change of a node's role", 'admin');
}

/**
 * For a request whose scope is `task-containers`: throws BALE_CLIENT_ROLE_FORBIDDEN when the local
 * Engine has that container, or that exec instance, and it is of no task. What it does not have is
 * another node's, whose agent looks at the same label, or nobody's.
 */
export async function checkTaskContainer(request: Request, engine: EngineClient): Promise<void> {
  const [, noun, id = ''] = parseApiPath(request.url ?? '/').path.split('/');
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const container = noun === 'exec' ? await containerOfExec(engine, id, signal) : id;
  if (container === undefined) return;
  const document = await ask(engine, `/containers/${container}/json`, signal);
  if (document === undefined || NODE_LABEL in record(record(document.Config).Labels)) return;
  throw forbidden(roleOf(request), `container ${container.slice(0, 64)} is of no task of the cluster`, 'admin');
}

async function containerOfExec(engine: EngineClient, id: string, signal: AbortSignal): Promise<string | undefined> {
  const document = await ask(engine, `/exec/${id}/json`, signal);
  if (document === undefined) return undefined;
  // Without it nobody could say whose it is.
  if (typeof document.ContainerID !== 'string') throw unclear(`exec instance ${id.slice(0, 64)}`);
  return document.ContainerID;
}

/** A document of the local Engine; undefined when it has no such object. */
async function ask(
  engine: EngineClient,
  path: string,
  signal: AbortSignal,
): Promise<Record<string, unknown> | undefined> {
  const { status, body } = await engine.get(path, signal);
  if (status === 404) return undefined;
  if (status !== 200) throw unclear(path);
  return record(JSON.parse(body.toString('utf8')));
}

const unclear = (what: string): BaleError =>
  new BaleError(`the Docker Engine does not say whose ${what} is; try again`, {
    kind: 'unavailable',
    code: 'BALE_ENGINE_REFUSED',
  });

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {};

/** Whether a request makes an exec instance, whose body says what power it has. */
export const makesExec = ({ method, url = '/' }: Pick<IncomingMessage, 'method' | 'url'>): boolean =>
  method === 'POST' && /^\/containers\/[^/]+\/exec$/.test(parseApiPath(url).path);

/**
 * The body of a request for an exec instance, read whole. Throws BALE_CLIENT_ROLE_FORBIDDEN when it asks
 * for all power over the machine, which a container's own process does not have.
 */
export async function plainExecBody(request: IncomingMessage): Promise<Buffer> {
  const body = await readBody(request);
  let document: Record<string, unknown>;
  try {
    document = record(JSON.parse(body.toString('utf8')));
  } catch (error) {
    throw new BaleError(`invalid JSON: ${errorMessage(error).slice(0, 64)}`, {
      kind: 'invalid',
      code: 'BALE_BODY_INVALID',
    });
  }
  // Go matches keys in any case of letters.
  const asked = Object.entries(document).some(([key, value]) => key.toLowerCase() === 'privileged' && value !== false);
  if (asked) throw forbidden(roleOf(request), 'a privileged exec', 'admin');
  return body;
}
