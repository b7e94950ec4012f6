import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EngineServer } from './engine-server.js';

export interface LoggedLine {
  readonly stream: 'stdout' | 'stderr';
  /** RFC 3339 with nine digits. */
  readonly timestamp: string;
  readonly text: string;
}

/** One container as `GET /containers/{id}/logs` knows it. */
export class LoggedContainer {
  readonly nodeId: string;
  readonly tty: boolean;
  readonly lines: LoggedLine[] = [];
  /** Answers of those who follow. */
  readonly followers = new Set<ServerResponse>();
  /** Instead of its log: a status and the Engine's text. */
  refusal: { readonly status: number; readonly message: string } | undefined;

  constructor(nodeId: string, tty = false) {
    this.nodeId = nodeId;
    this.tty = tty;
  }

  /** @param at ms since the epoch */
  write(text: string, at = Date.now(), stream: LoggedLine['stream'] = 'stdout'): void {
    const line = { stream, timestamp: new Date(at).toISOString().replace('Z', '000000Z'), text };
    this.lines.push(line);
    for (const follower of this.followers) follower.write(this.encode(line));
  }

  /** The container ends: nobody follows it any more. */
  end(): void {
    for (const follower of this.followers) follower.end();
  }

  encode({ stream, timestamp, text }: LoggedLine): Buffer {
    const payload = Buffer.from(`${timestamp}  ${text}\n`);
    if (this.tty) return payload;
    const header = Buffer.alloc(8);
    header[0] = stream === 'stdout' ? 1 : 2;
    header.writeUInt32BE(payload.length, 4);
    return Buffer.concat([header, payload]);
  }
}

/** Lets a small Engine describe containers and hand out their logs as a real one does. */
export function serveLogs(engine: EngineServer, containers: ReadonlyMap<string, LoggedContainer>): void {
  engine.behave = (request, response) => {
    const url = new URL(request.url ?? '/', 'http://engine');
    const [, noun, id = '', verb] = url.pathname.split('/');
    const container = noun === 'containers' ? containers.get(id) : undefined;
    if (container === undefined) refuse(response, 404, `No such container: ${id}`);
    else if (verb === 'json') describe(response, id, container);
    else if (container.refusal !== undefined) refuse(response, container.refusal.status, container.refusal.message);
    else sendLog(request, response, container, url.searchParams);
  };
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ message }));
}

function describe(response: ServerResponse, id: string, { nodeId }: LoggedContainer): void {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ Id: id, Config: { Labels: { 'com.docker.swarm.node.id': nodeId } } }));
}

function sendLog(
  request: IncomingMessage,
  response: ServerResponse,
  container: LoggedContainer,
  query: URLSearchParams,
): void {
  const since = query.get('since') ?? '0';
  const tail = query.get('tail') ?? 'all';
  const wanted = container.lines.filter(
    ({ stream, timestamp }) => query.get(stream) === '1' && secondsOf(timestamp) >= since,
  );
  response.writeHead(200, { 'Content-Type': 'application/vnd.docker.raw-stream' });
  response.flushHeaders();
  for (const line of tail === 'all' ? wanted : wanted.slice(wanted.length - Number(tail))) {
    response.write(container.encode(line));
  }
  if (query.get('follow') !== '1') {
    response.end();
    return;
  }
  container.followers.add(response);
  request.once('close', () => container.followers.delete(response));
}

/** As `since` has it; of one length for many years to come, so order of text is order of time. */
const secondsOf = (timestamp: string): string =>
  `${Date.parse(`${timestamp.slice(0, 19)}Z`) / 1000}${timestamp.slice(19, 29)}`;
