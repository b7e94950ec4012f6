import type { ServerHttp2Stream } from 'node:http2';
import { resetStream } from './byte-stream.js';
import { MOST_SESSIONS, MOST_WAITING_BYTES, type DatagramLink, type LinkEvents } from './datagram-link.js';
import { encodeFrame, UdpFrameReader, type UdpFrame, type UdpFrameKind } from './udp-frame.js';

/**
 * The serving end of a tunnel of datagrams: each session of the dialling end gets a link of its own
 * to the container. It ends with the stream, and ends the stream when the dialling end did.
 */
export function serveDatagrams(stream: ServerHttp2Stream, open: (events: LinkEvents) => DatagramLink): void {
  const reader = new UdpFrameReader();
  const links = new Map<number, DatagramLink>();
  const write = (kind: UdpFrameKind, session: number, payload?: Buffer): void => {
    if (stream.destroyed || stream.writableEnded || stream.writableLength >= MOST_WAITING_BYTES) return;
    stream.write(encodeFrame(kind, session, payload));
  };
  const openLink = (session: number): DatagramLink | undefined => {
    if (links.size >= MOST_SESSIONS) return undefined;
    const link = open({
      onDatagram: (datagram) => {
        write('datagram', session, datagram);
      },
      onRefused: () => {
        links.delete(session);
        write('refused', session);
      },
      onEnding: () => undefined, // A link to a container never ends but refused.
    });
    links.set(session, link);
    return link;
  };
  const onFrame = ({ kind, session, payload }: UdpFrame): void => {
    switch (kind) {
      case 'datagram':
        (links.get(session) ?? openLink(session))?.send(payload);
        return;
      case 'close':
        links.get(session)?.close();
        links.delete(session);
        return;
      case 'refused': // Told by this end only.
    }
  };
  const closeLinks = (): void => {
    for (const link of links.values()) link.close();
    links.clear();
  };
  stream.on('data', (chunk: Buffer) => {
    const frames = reader.read(chunk);
    if (frames === undefined) resetStream(stream);
    else for (const frame of frames) onFrame(frame);
  });
  stream.once('end', () => {
    closeLinks();
    if (!stream.destroyed) stream.end();
  });
  stream.once('close', closeLinks);
}
