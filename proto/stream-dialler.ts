import { Metadata, status as Status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import type { Duplex } from 'node:stream';
import { BaleError } from '../core/errors.js';
import type { IdentitySource, NodeIdentity } from '../core/identity.js';
import { MANAGER_SERVER_NAME } from '../core/x509.js';
import { CallStream } from './call-stream.js';
import { channelOptions, memberCredentials, targetOf } from './cluster-channel.js';
import type { Bytes__Output } from './generated/bale/v1/Bytes.js';
import type { StreamsClient } from './generated/bale/v1/Streams.js';
import { fromServiceError } from './grpc-errors.js';
import { clusterServices } from './grpc-services.js';
import { STREAM_ID_KEY } from './serve-stream.js';

/** ms until the connection must stand and the manager have taken the stream. */
const CONNECT_DEADLINE = 5_000;
/** Streams of one connection; the manager takes 128 calls on each. */
const MOST_STREAMS = 64;
/** A connection without streams stays open so long, ms: the next request often comes at once. */
const LINGER = 5_000;
/** Bytes; a message of a stream is far smaller. */
const LARGEST_MESSAGE = 256 * 1024;

interface Channel {
  readonly client: StreamsClient;
  readonly addr: string;
  readonly identity: NodeIdentity;
  streams: number;
  /** It takes no further streams and closes with its last one. */
  retired: boolean;
  linger: NodeJS.Timeout | undefined;
}

/**
 * Opens the streams that managers ask for. Many share a connection, none of them the session's: a full one
 * must not hold up heartbeats. Within a connection a stream that is not read stops itself alone.
 */
export class StreamDialler {
  readonly #identity: IdentitySource;
  #channels: Channel[] = [];

  constructor(identity: IdentitySource) {
    this.#identity = identity;
  }

  /** A stream to the manager at `addr` (host:port). Every failure, the connect included, destroys it. */
  open(addr: string, streamId: string): Duplex {
    const channel = this.#channel(addr);
    clearTimeout(channel.linger);
    channel.streams += 1;
    const metadata = new Metadata();
    metadata.set(STREAM_ID_KEY, streamId);
    const call = channel.client.connect(metadata);
    const stream = new CallStream({
      send: (message) => call.write({ ...message }),
      finish: () => call.end(),
      abort: () => {
        call.cancel();
      },
    });
    const deadline = setTimeout(() => {
      channel.retired = true;
      stream.destroy(notTaken(addr));
    }, CONNECT_DEADLINE).unref();
    call.on('metadata', () => {
      clearTimeout(deadline);
    });
    call.on('data', (message: Bytes__Output) => {
      stream.receive(message);
    });
    call.on('error', (error: ServiceError) => {
      const failure = fromServiceError(error, addr);
      // gRPC would make the next call wait out its own back-off.
      if (failure instanceof BaleError && failure.code === 'BALE_MANAGER_UNREACHABLE') channel.retired = true;
      stream.callEnded(failure);
    });
    call.on('status', (status: StatusObject) => {
      clearTimeout(deadline);
      // Anything but OK comes as an error too; what the manager sent last is read first.
      if (status.code !== Status.OK) return;
      if (call.readableEnded) stream.callEnded(undefined);
      else call.once('end', () => stream.callEnded(undefined));
    });
    stream.once('close', () => {
      clearTimeout(deadline);
      this.#release(channel);
    });
    return stream;
  }

  /** Closes connections without streams; the others close with their last one. */
  close(): void {
    for (const channel of this.#channels) {
      channel.retired = true;
      clearTimeout(channel.linger);
      if (channel.streams === 0) channel.client.close();
    }
    this.#channels = [];
  }

  #channel(addr: string): Channel {
    const identity = this.#identity.current;
    const open = this.#channels.find(
      (channel) =>
        !channel.retired && channel.addr === addr && channel.identity === identity && channel.streams < MOST_STREAMS,
    );
    if (open !== undefined) return open;
    const { Streams } = clusterServices();
    const options = channelOptions({ receive: LARGEST_MESSAGE }, MANAGER_SERVER_NAME);
    const client = new Streams(targetOf(addr), memberCredentials(identity), options);
    const channel: Channel = { client, addr, identity, streams: 0, retired: false, linger: undefined };
    this.#channels.push(channel);
    return channel;
  }

  #release(channel: Channel): void {
    channel.streams -= 1;
    if (channel.streams > 0) return;
    if (channel.retired) {
      this.#drop(channel);
      return;
    }
    channel.linger = setTimeout(() => {
      this.#drop(channel);
    }, LINGER).unref();
  }

  #drop(channel: Channel): void {
    this.#channels = this.#channels.filter((other) => other !== channel);
    channel.client.close();
  }
}

const notTaken = (addr: string): BaleError =>
  new BaleError(`the manager at ${addr} did not take a stream within ${CONNECT_DEADLINE / 1000} s`, {
    kind: 'unavailable',
    code: 'BALE_MANAGER_UNREACHABLE',
  });
