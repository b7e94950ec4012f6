import { PassThrough, type Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { StreamRequests, type StreamSessions } from '../../../../manager/streams/stream-requests.js';
import type { Peer } from '../../../../proto/cluster-peer.js';
import { FakeClock } from '../../../support/fake-clock.js';

const peer = (nodeId: string): Peer => ({ nodeId, clusterId: 'c', role: 'worker', address: '10.0.0.1' });
const never = new AbortController().signal;

function bench(answer: ReturnType<StreamSessions['requestStream']> = 'asked') {
  const clock = new FakeClock();
  const asked: string[] = [];
  let tell: (nodeId: string, cause: string) => void = () => undefined;
  const requests = new StreamRequests({
    sessions: {
      requestStream: (_nodeId, streamId) => {
        asked.push(streamId);
        return answer;
      },
      onSessionEnd: (listener) => {
        tell = listener;
        return () => undefined;
      },
    },
    nameOf: (nodeId) => `host-${nodeId}`,
    clock,
  });
  const last = (): string => asked.at(-1) ?? '';
  return { clock, requests, asked, last, endSession: (nodeId: string) => tell(nodeId, 'the connection broke') };
}

/** An agent opens what was asked for. */
async function opened(at: ReturnType<typeof bench>, nodeId = 'a'): Promise<{ id: string; stream: Duplex }> {
  const opening = at.requests.open(nodeId, never);
  const id = at.last();
  const far = new PassThrough();
  at.requests.accept(peer(nodeId), id, far);
  const stream = await opening;
  expect(stream).toBe(far);
  return { id, stream };
}

describe('a request for a stream', () => {
  test('is met by the node that it was asked of', async () => {
    const { stream } = await opened(bench());
    expect(stream.destroyed).toBe(false);
  });

  test('is not met by another node, nor twice', async () => {
    const at = bench();
    const opening = at.requests.open('a', never);
    expect(() => {
      at.requests.accept(peer('b'), at.last(), new PassThrough());
    }).toThrow('nobody waits for a stream of this id');
    at.requests.accept(peer('a'), at.last(), new PassThrough());
    await opening;
    expect(() => {
      at.requests.accept(peer('a'), at.last(), new PassThrough());
    }).toThrow('nobody waits for a stream of this id');
  });

  test('fails after 5 s, and what comes later is not taken', async () => {
    const at = bench();
    const opening = at.requests.open('a', never);
    const failed = expect(opening).rejects.toThrow('node host-a opened no stream to its Engine within 5 s');
    await at.clock.advance(5_000);
    await failed;
    expect(() => {
      at.requests.accept(peer('a'), at.last(), new PassThrough());
    }).toThrow('nobody waits');
  });

  test('fails when it is called off', async () => {
    const at = bench();
    const abort = new AbortController();
    const opening = at.requests.open('a', abort.signal);
    abort.abort();
    await expect(opening).rejects.toMatchObject({ name: 'AbortError' });
  });

  test.each([
    ['no-session', 'node host-a is not connected to this manager'],
    ['unsupported', 'node host-a offers no streams to its Engine'],
  ] as const)('fails at once: %s', async (answer, message) => {
    await expect(bench(answer).requests.open('a', never)).rejects.toThrow(message);
  });
});

describe('the end of a session', () => {
  test('fails what waits for this node and what is open to it, and nothing of another', async () => {
    const at = bench();
    const { stream } = await opened(at);
    const other = await opened(at, 'b');
    const opening = at.requests.open('a', never);
    const failure = new Promise<string>((resolve) => {
      stream.on('error', (error) => {
        resolve(error.message);
      });
    });
    at.endSession('a');
    await expect(opening).rejects.toThrow('the connection to node host-a is lost: the connection broke');
    expect(await failure).toBe('the connection to node host-a is lost: the connection broke');
    expect(other.stream.destroyed).toBe(false);
  });

  test('comes to all when the manager stops', async () => {
    const at = bench();
    const opening = at.requests.open('a', never);
    await at.requests.close();
    await expect(opening).rejects.toThrow('the manager stops');
  });
});
