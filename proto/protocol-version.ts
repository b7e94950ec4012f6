/**
 * The version of every contract between two bale processes on different nodes: the gRPC services
 * and the mesh tunnel. Peers of another version are refused with both versions named.
 */
export const PROTOCOL_VERSION = 1;
