import { Metadata, status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { BaleError, type ErrorKind } from '../core/errors.js';

/**
 * BaleErrors over gRPC: the message as the status' details, kind and code as metadata, so that the
 * caller gets the same error again. The status is the nearest one of gRPC, for readers of traces.
 */
const STATUS_OF_KIND: Readonly<Record<ErrorKind, status>> = {
  invalid: status.INVALID_ARGUMENT,
  'failed-precondition': status.FAILED_PRECONDITION,
  unauthenticated: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  'not-found': status.NOT_FOUND,
  conflict: status.ALREADY_EXISTS,
  'out-of-sequence': status.ABORTED,
  'too-large': status.RESOURCE_EXHAUSTED,
  unimplemented: status.UNIMPLEMENTED,
  unavailable: status.UNAVAILABLE,
  internal: status.INTERNAL,
};

const KIND_KEY = 'bale-kind';
const CODE_KEY = 'bale-code';
/** Statuses travel in HTTP/2 headers, which peers bound. Characters. */
const LONGEST_MESSAGE = 4000;

/** What the caller is told. The text of an error that is not a BaleError stays here. */
export function toStatus(error: unknown): StatusObject {
  const known =
    error instanceof BaleError
      ? error
      : new BaleError('the manager failed to answer; its log tells why', { kind: 'internal', code: 'BALE_INTERNAL' });
  const metadata = new Metadata();
  metadata.set(KIND_KEY, known.kind);
  metadata.set(CODE_KEY, known.code);
  // By way of UTF-8, since half a surrogate pair cannot be sent.
  const details = Buffer.from(known.message.slice(0, LONGEST_MESSAGE)).toString();
  return { code: STATUS_OF_KIND[known.kind], details, metadata };
}

/** The error a call to the manager at `addr` ended with, as its handler threw it or as the transport failed. */
export function fromServiceError(error: ServiceError, addr: string): Error {
  const kind = text(error.metadata, KIND_KEY);
  const code = text(error.metadata, CODE_KEY);
  if (code !== undefined && kind !== undefined && isKind(kind)) return new BaleError(error.details, { kind, code });
  return transportError(error, addr);
}

/** A failure below gRPC's handlers: no bale manager answered, or it is not ours. */
function transportError(error: ServiceError, addr: string): BaleError {
  const failure = `${error.details} ${error.message}`;
  const known = TRANSPORT_FAILURES.find(({ pattern }) => pattern.test(failure));
  if (known !== undefined)
    return new BaleError(known.message(addr), { kind: known.kind, code: known.code, cause: error });
  if (error.code === status.RESOURCE_EXHAUSTED) {
    return new BaleError(`a message to or from the manager at ${addr} is too large: ${error.details}`, {
      kind: 'invalid',
      code: 'BALE_MESSAGE_TOO_LARGE',
      cause: error,
    });
  }
  return new BaleError(`the call to the manager at ${addr} failed: ${error.details}`, {
    kind: 'unavailable',
    code: 'BALE_MANAGER_UNREACHABLE',
    cause: error,
  });
}

interface TransportFailure {
  readonly pattern: RegExp;
  readonly kind: ErrorKind;
  readonly code: string;
  readonly message: (addr: string) => string;
}

const unreachable = (pattern: RegExp, what: (addr: string) => string): TransportFailure => ({
  pattern,
  kind: 'unavailable',
  code: 'BALE_MANAGER_UNREACHABLE',
  message: (addr) => `cannot reach the manager at ${addr}: ${what(addr)}`,
});

const TRANSPORT_FAILURES: readonly TransportFailure[] = [
  unreachable(
    /ECONNREFUSED/,
    () => 'connection refused. Check that the bale daemon runs there as a manager, and the port (2377 by default)',
  ),
  unreachable(
    /ETIMEDOUT|Deadline exceeded|EHOSTUNREACH|ENETUNREACH|Waiting for LB pick/,
    () => 'no answer. Check the address, the network between the nodes and the firewall (TCP port 2377 by default)',
  ),
  unreachable(/Name resolution failed|ENOTFOUND|EAI_AGAIN/, () => 'its name cannot be resolved to an address'),
  unreachable(
    /wrong version number|packet length too long|no application protocol|certificate required|alert number 1(16|20)|Protocol error/i,
    (addr) => `what listens there is not a bale manager. Is ${addr} its cluster port (2377 by default)?`,
  ),
  {
    pattern: /unable to verify|unable to get (local )?issuer|self[- ]signed certificate|signature failure/i,
    kind: 'failed-precondition',
    code: 'BALE_CA_MISMATCH',
    message: (addr) =>
      `the manager at ${addr} has a certificate of another cluster: its root is not the one that this node trusts`,
  },
  {
    pattern: /certificate has expired|certificate is not yet valid/i,
    kind: 'failed-precondition',
    code: 'BALE_CERTIFICATE_EXPIRED',
    message: (addr) =>
      `the certificate of the manager at ${addr} is not valid at this time: check the clocks of both nodes`,
  },
  {
    pattern: /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate's altnames/i,
    kind: 'failed-precondition',
    code: 'BALE_NOT_A_MANAGER',
    message: (addr) => `what answers at ${addr} is a node of this cluster but not a manager`,
  },
];

const text = (metadata: Metadata | undefined, key: string): string | undefined => {
  const value = metadata?.get(key)[0];
  return typeof value === 'string' ? value : undefined;
};

const isKind = (kind: string): kind is ErrorKind => Object.hasOwn(STATUS_OF_KIND, kind);
