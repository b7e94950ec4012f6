import { Metadata, type ServerDuplexStream } from '@grpc/grpc-js';
import { BaleError } from '../core/errors.js';
import { CallStream, streamBroken } from './call-stream.js';
import type { Bytes, Bytes__Output } from './generated/bale/v1/Bytes.js';
import { toStatus } from './grpc-errors.js';

/** Names the stream in the metadata of a call. */
export const STREAM_ID_KEY = 'bale-stream-id';

type StreamCall = ServerDuplexStream<Bytes__Output, Bytes>;

/** The id that the agent gives; empty without one. */
export function streamIdOf(call: Pick<StreamCall, 'metadata'>): string {
  const [id] = call.metadata.get(STREAM_ID_KEY);
  return typeof id === 'string' ? id : '';
}

/** The manager's end of a stream that an agent opened. */
export function serveStream(call: StreamCall): CallStream {
  const stream = new CallStream({
    send: (message) => call.write({ ...message }),
    finish: () => call.end(),
    abort: (error) => {
      if (!call.cancelled) call.emit('error', toStatus(error ?? streamClosed()));
    },
  });
  // Tells the agent that its stream was taken.
  call.sendMetadata(new Metadata());
  call.on('data', (message: Bytes__Output) => {
    stream.receive(message);
  });
  const ended = (): void => {
    stream.callEnded(streamBroken());
  };
  call.on('end', ended);
  call.on('cancelled', ended);
  call.on('error', ended);
  return stream;
}

const streamClosed = (): BaleError =>
  new BaleError('the manager closed the stream', { kind: 'unavailable', code: 'BALE_STREAM_CLOSED' });
