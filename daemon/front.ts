import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../core/clock.js';
import { errorMessage, isAbortError, isBaleError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { EventFeed } from '../manager/events/cluster-event.js';
import { accessOf, checkTaskContainer, makesExec, plainExecBody } from './access.js';
import { type Owner, ownerOf, parseApiPath, refuseVersion } from './api-path.js';
import type { EngineClient } from './engine-client.js';
import { type EngineFactsSource, factHeaders } from './engine-facts.js';
import { HEADER_LIMIT } from './engine-headers.js';
import { passToEngine, type PassthroughOptions, type PassthroughRequest } from './engine-passthrough.js';
import { sendLastError, type UpgradeRequest, upgradeToEngine } from './engine-upgrade.js';
import { errorAnswer } from './error-answer.js';
import { readBody, refuseOverlay } from './network-create.js';
import type { RemoteCall } from './remote-containers.js';
import { knownRequester, type Requester, setRequester } from './requester.js';
import type { SharedEngineEvents } from './shared-engine-events.js';
import { readUpgradeBody } from './upgrade-body.js';
import { localEngine } from './upstream.js';

/** Answers requests of the cluster API, of a version that is served. */
export type ApiHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface FrontOptions {
  readonly engineSocket: string;
  readonly engine: EngineClient;
  readonly facts: EngineFactsSource;
  /** Value of the ping's `Swarm` header: `inactive`, `active/worker`… */
  readonly swarmState: () => string;
  /** Loaded at the first request for it: most workers never get one. */
  readonly api: () => Promise<ApiHandler>;
  /** For the Engine's requests that may be those of another node. */
  readonly remote: (request: IncomingMessage) => RemoteCall | undefined;
  /** Of the cluster that this node manages; undefined on any other node, whose events are the Engine's alone. */
  readonly events: () => EventFeed | undefined;
  readonly engineEvents: SharedEngineEvents;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Front {
  readonly server: Server;
  /** Serves a connection of another listener, which knows whose it is. */
  serve(socket: Socket, requester: Requester): void;
  /** Closes every connection, streams included. */
  close(): Promise<void>;
}

/** The server of the API socket: sends each request to its owner, the cluster API or the Engine. */
export function createFront(options: FrontOptions): Front {
  const server = createServer({
    maxHeaderSize: HEADER_LIMIT,
    // Streams live for days, uploads for hours, and clients keep idle connections: as the Engine, no cut-offs.
    requestTimeout: 0,
    keepAliveTimeout: 0,
  });
  server.timeout = 0;
  server.on('request', (request, response) => {
    dispatch({ request, response }, options);
  });
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    dispatch({ request, response, expectsContinue: true }, options);
  });
  server.on('upgrade', (request, socket, head) => {
    dispatchUpgrade(server, { request, socket, head }, options);
  });
  server.on('clientError', (error, socket) => {
    if (socket.writable) socket.end(`HTTP/1.1 ${clientErrorStatus(error)}\r\nConnection: close\r\n\r\n`);
    else socket.destroy();
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    // This server itself listens on the unix socket alone; whoever hands over other connections vouches for them.
    if (knownRequester(socket) === undefined) setRequester(socket, { kind: 'socket' });
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return {
    server,
    serve: (socket, requester) => {
      setRequester(socket, requester);
      server.emit('connection', socket);
    },
    close: () => closeServer(server, sockets),
  };
}

function dispatch(incoming: PassthroughRequest, options: FrontOptions): void {
  const { request, response } = incoming;
  const access = accessOf(request);
  if (access.kind === 'refuse') sendError(response, access.error, options);
  else if (access.scope === 'any') handOver(incoming, options);
  else {
    taskRequest(incoming, options).then(
      (checked) => {
        handOver(checked, options);
      },
      (error: unknown) => {
        sendError(response, error, options);
      },
    );
  }
}

/** A request that may reach containers of tasks only, once that is sure. Its body is read of none but of an exec. */
async function taskRequest(incoming: PassthroughRequest, { engine }: FrontOptions): Promise<PassthroughRequest> {
  const { request, response, expectsContinue } = incoming;
  await checkTaskContainer(request, engine);
  if (!makesExec(request)) return incoming;
  if (expectsContinue === true) response.writeContinue();
  return { request, response, body: await plainExecBody(request) };
}

function handOver(incoming: PassthroughRequest, options: FrontOptions): void {
  const { request, response } = incoming;
  const { path } = parseApiPath(request.url ?? '/');
  const owner = ownerOf(request.method ?? 'GET', path);
  if (owner === 'engine' || (owner === 'events' && options.events() === undefined)) {
    const call = options.remote(request);
    if (call === undefined) {
      // At once, in the turn in which the request came: nothing may read its body before the Engine does.
      passToEngine(incoming, engineSide(options));
    } else {
      answerRemote(call, incoming, options).catch((error: unknown) => {
        if (!isAbortError(error)) sendError(response, error, options);
      });
    }
    return;
  }
  if (incoming.expectsContinue === true) response.writeContinue();
  answerOurs(owner, request, response, options).catch((error: unknown) => {
    sendError(response, error, options);
  });
}

const engineSide = ({ engineSocket, logger }: FrontOptions): PassthroughOptions => ({
  upstream: localEngine(engineSocket),
  logger,
});

/** Nobody reads the body until the Engine of the other node does. */
async function answerRemote(call: RemoteCall, incoming: PassthroughRequest, { logger }: FrontOptions): Promise<void> {
  const gone = new AbortController();
  incoming.response.once('close', () => {
    gone.abort();
  });
  const { upstream, url, rewrite } = await call.open(gone.signal);
  const changes = { ...(url === undefined ? {} : { url }), ...(rewrite === undefined ? {} : { rewrite }) };
  passToEngine({ ...incoming, ...changes }, { upstream, logger });
}

async function upgradeRemote(call: RemoteCall, offer: UpgradeRequest, { logger }: FrontOptions): Promise<void> {
  const gone = new AbortController();
  const hangUp = (): void => {
    gone.abort();
  };
  offer.socket.once('error', hangUp);
  offer.socket.once('close', hangUp);
  const { upstream, url } = await call.open(gone.signal);
  upgradeToEngine({ ...offer, ...(url === undefined ? {} : { url }) }, { upstream, logger });
}

async function answerOurs(
  owner: Exclude<Owner, 'engine'>,
  request: IncomingMessage,
  response: ServerResponse,
  options: FrontOptions,
): Promise<void> {
  if (owner === 'network-create') {
    const body = await readBody(request);
    refuseOverlay(body);
    passToEngine({ request, response, body }, engineSide(options));
    return;
  }
  const facts = owner === 'ping' ? await options.facts.refresh() : await options.facts.current();
  for (const [name, value] of Object.entries(factHeaders(facts))) response.setHeader(name, value);
  const { version } = parseApiPath(request.url ?? '/');
  if (version !== undefined) refuseVersion(version, { min: facts.minApiVersion, max: facts.apiVersion });
  switch (owner) {
    case 'ping':
      answerPing(request, response, facts.builderVersion, options.swarmState());
      return;
    case 'events':
      await answerEvents(request, response, options);
      return;
    case 'api':
      (await options.api())(request, response);
  }
}

async function answerEvents(
  request: IncomingMessage,
  response: ServerResponse,
  { events, engineEvents, engineSocket, clock, logger }: FrontOptions,
): Promise<void> {
  const { streamEvents } = await import('./event-stream.js');
  const feed = events();
  // The node left the cluster in this very moment.
  if (feed === undefined) passToEngine({ request, response }, { upstream: localEngine(engineSocket), logger });
  else await streamEvents(request, response, { feed, shared: engineEvents, engineSocket, clock, logger });
}

function answerPing(
  request: IncomingMessage,
  response: ServerResponse,
  builderVersion: string | undefined,
  swarmState: string,
): void {
  const body = request.method === 'HEAD' ? '' : 'OK';
  if (builderVersion !== undefined) response.setHeader('Builder-Version', builderVersion);
  response.writeHead(200, {
    Swarm: swarmState,
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
  });
  response.end(body);
}

interface UpgradeOffer {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

function dispatchUpgrade(server: Server, offer: UpgradeOffer, options: FrontOptions): void {
  const { request, socket, head } = offer;
  // This server makes its own sockets; nothing else can come.
  if (!(socket instanceof Socket)) {
    socket.destroy();
    return;
  }
  const access = accessOf(request);
  if (access.kind === 'refuse') sendLastError(socket, access.error);
  // Its body says what power it has, so it is read as a request like others.
  else if (access.scope === 'task-containers' && makesExec(request)) decline(server, { request, socket, head });
  else if (access.scope === 'any') handUpgradeOver(server, { request, socket, head }, options);
  else {
    taskUpgrade({ request, socket, head }, options).then(
      (checked) => {
        handUpgradeOver(server, checked, options);
      },
      (error: unknown) => {
        sendLastError(socket, error);
      },
    );
  }
}

/** An upgrade that may reach containers of tasks only, once that is sure. */
async function taskUpgrade(offer: UpgradeRequest, { engine }: FrontOptions): Promise<UpgradeRequest> {
  const { request, socket, head } = offer;
  await checkTaskContainer(request, engine);
  const { body, rest } = await readUpgradeBody(request, socket, head);
  return { request, socket, head: rest, body };
}

function handUpgradeOver(server: Server, offer: UpgradeRequest, options: FrontOptions): void {
  const { path } = parseApiPath(offer.request.url ?? '/');
  if (ownerOf(offer.request.method ?? 'GET', path) !== 'engine') {
    decline(server, offer);
    return;
  }
  const call = options.remote(offer.request);
  if (call === undefined) upgradeToEngine(offer, engineSide(options));
  else {
    upgradeRemote(call, offer, options).catch((error: unknown) => {
      if (!isAbortError(error)) sendLastError(offer.socket, error);
    });
  }
}

function decline(server: Server, { request, socket, head }: UpgradeRequest): void {
  try {
    declineUpgrade(server, request, socket, head);
  } catch (error) {
    sendLastError(socket, error);
  }
}

/** None of our answers needs an upgrade: the request is read again as if it had not offered one. */
function declineUpgrade(server: Server, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const lines = [`${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/1.1`];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const [name, value] = [request.rawHeaders[index] ?? '', request.rawHeaders[index + 1] ?? ''];
    if (!/^(connection|upgrade|http2-settings)$/i.test(name)) lines.push(`${name}: ${value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

function sendError(response: ServerResponse, error: unknown, { logger }: FrontOptions): void {
  if (!isBaleError(error)) logger.error({ err: errorMessage(error) }, 'a request failed unexpectedly');
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { status, contentType, body } = errorAnswer(error, response.req.url);
  // The rest of a body that was not read is in the way of a next request.
  if (!response.req.complete) response.setHeader('Connection', 'close');
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function clientErrorStatus(error: Error): string {
  return 'code' in error && error.code === 'HPE_HEADER_OVERFLOW'
    ? '431 Request Header Fields Too Large'
    : '400 Bad Request';
}

function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    for (const socket of sockets) socket.destroy();
  });
}
