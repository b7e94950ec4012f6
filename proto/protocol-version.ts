import { BaleError } from '../core/errors.js';

/**
 * The version of every contract between two bale processes on different nodes: the gRPC services
 * and the mesh tunnel. Peers of another version are refused with both versions named.
 */
export const PROTOCOL_VERSION = 1;

/** Throws BALE_PROTOCOL_VERSION unless `who` (e.g. `the manager at 10.0.0.1:2377`) speaks this process's version. */
export function checkProtocolVersion(version: number, who: string): void {
  if (version === PROTOCOL_VERSION) return;
  throw new BaleError(
    `${who} speaks protocol version ${version}, this side speaks ${PROTOCOL_VERSION}: run the same version of bale on both`,
    { kind: 'failed-precondition', code: 'BALE_PROTOCOL_VERSION' },
  );
}
