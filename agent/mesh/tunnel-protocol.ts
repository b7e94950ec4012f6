import type { Settings } from 'node:http2';
import { PROTOCOL_VERSION } from '../../proto/protocol-version.js';

/**
 * Between two meshes: HTTP/2 over TLS 1.3 with both certificates. One CONNECT per tunnel,
 * `:authority` names the endpoint (`<taskId>:<targetPort>`); status 200 once the container is dialled.
 * With `;udp` after the port it carries datagrams of many clients, as frames (udp-frame.ts).
 */
export const PROTOCOL_HEADER = 'bale-protocol';
export const PROTOCOL_HEADER_VALUE = String(PROTOCOL_VERSION);
/** One line saying why a request of a peer was refused. */
export const ERROR_HEADER = 'bale-error';

const ABORT_PATH = '/bale/v1/abort/';
export const abortPath = (streamId: number): string => `${ABORT_PATH}${streamId}`;
/** The stream that a request to this path aborts; undefined when it is another path. */
export const abortedStream = (path: string): number | undefined =>
  path.startsWith(ABORT_PATH) ? Number(path.slice(ABORT_PATH.length)) : undefined;

/** How many bytes a peer may send on one tunnel before its reader took them: a slow reader holds at most this. */
const TUNNEL_WINDOW = 1024 * 1024;
/** The same for all tunnels of a session together. Node credits it on arrival, so a slow tunnel never stalls others. */
export const SESSION_WINDOW = 64 * 1024 * 1024;
export const MAX_TUNNELS_PER_SESSION = 65_535;

export const SETTINGS: Settings = {
  initialWindowSize: TUNNEL_WINDOW,
  maxConcurrentStreams: MAX_TUNNELS_PER_SESSION,
  maxFrameSize: 64 * 1024,
  enablePush: false,
};

/** MB; the default of 10 refuses new tunnels when a few hundred are busy. */
export const SESSION_MEMORY = 1_024;
