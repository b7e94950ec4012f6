import type { ClientRequest } from 'node:http';
import { Socket } from 'node:net';
import type { Endpoint } from '../../proto/endpoint-table.js';
import { resetStream, type ByteStream } from './byte-stream.js';
import { endpointKey } from './endpoint-key.js';

/** ms that the endpoint has to end its side of an idle tunnel. */
const END_TIMEOUT = 5_000;

type UpstreamState = 'busy' | 'idle' | 'ended';

/**
 * One connection to an endpoint that carries HTTP/1 requests, one after the other. It is the `agent`
 * of the requests sent over it: node:http takes its stream instead of dialling.
 */
export class Upstream {
  readonly endpoint: Endpoint;
  readonly key: string;
  readonly stream: ByteStream;
  /** Whether an earlier request went over it: the endpoint may be closing it at this very moment. */
  reused = false;
  /** When it became idle, ms of the process clock. */
  idleSince = 0;
  /** For node:http: keep the connection, answers may be followed by another request. */
  readonly keepAlive = true;
  readonly maxSockets = 1;
  readonly defaultPort = 80;
  readonly protocol = 'http:';

  #state: UpstreamState = 'busy';

  constructor(endpoint: Endpoint, stream: ByteStream, onFree: (upstream: Upstream) => void) {
    this.endpoint = endpoint;
    this.key = endpointKey(endpoint);
    this.stream = stream;
    stream.on('free', () => {
      onFree(this);
    });
    stream.once('end', this.#ended);
    stream.once('close', this.#ended);
  }

  /** The request made last; node:http calls this from its constructor. */
  onRequest: (request: ClientRequest) => void = () => undefined;

  addRequest(request: ClientRequest): void {
    this.onRequest(request);
    request.onSocket(this.stream as Socket); // A tunnel is a duplex stream, which is all that node:http asks for.
    this.stream.resume();
  }

  /**
   * Whether a request may still be sent over it. Not through a mesh process of the other node that said goodbye:
   * it ends with its last tunnel, and would never, as long as somebody asks.
   */
  get isOpen(): boolean {
    return this.#state !== 'ended' && !this.stream.destroyed && this.stream.writable && !isLeaving(this.stream);
  }

  get isIdle(): boolean {
    return this.#state === 'idle';
  }

  park(): void {
    this.#state = 'idle';
    this.idleSince = performance.now();
    // An endpoint that speaks unasked is not trusted: its words would be the answer to the next request.
    this.stream.on('data', this.#ended);
    this.stream.resume();
  }

  /** Takes it for a request; false when it is of no use any more. */
  take(): boolean {
    this.stream.off('data', this.#ended);
    if (!this.isOpen) return false;
    this.#state = 'busy';
    this.reused = true;
    return true;
  }

  readonly #ended = (): void => {
    this.#state = 'ended';
  };

  /** Closes it in order; a tunnel whose other end does not follow is cut after a while. */
  end(): void {
    this.#state = 'ended';
    if (this.stream instanceof Socket) {
      this.stream.destroy();
      return;
    }
    const { stream } = this;
    // What the endpoint still says is thrown away, so that its own end is seen.
    stream.resume();
    stream.end();
    const timer = setTimeout(() => resetStream(stream), END_TIMEOUT).unref();
    stream.once('close', () => {
      clearTimeout(timer);
    });
  }
}

const isLeaving = (stream: ByteStream): boolean => !(stream instanceof Socket) && stream.session?.closed === true;
