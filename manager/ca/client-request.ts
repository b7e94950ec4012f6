import { BaleError } from '../../core/errors.js';
import {
  CLIENT_ROLES,
  type ClientCertificateRequest,
  clientNameFault,
  type ClientRole,
  LONGEST_EXPIRY_NS,
  SHORTEST_EXPIRY_NS,
} from '../../proto/client-certificate.js';

const DAY_NS = 24 * 60 * 60 * 1e9;
const DEFAULT_EXPIRY = 365 * DAY_NS;
const LONGEST_SHOWN = 66;
const LONGEST_CSR = 16 * 1024;

/** Checks the body of a request for a client certificate. Throws BALE_REQUEST_INVALID naming the field. */
export function decodeClientRequest(body: unknown): Required<ClientCertificateRequest> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    const got = Array.isArray(body) ? 'a list' : shown(body);
    throw invalid(`expected an object, got ${got}`, 'body of a client certificate request');
  }
  const given = new Map<string, unknown>(Object.entries(body));
  return {
    name: nameOf(given.get('name')),
    role: roleOf(given.get('role')),
    csr: csrOf(given.get('csr')),
    expiry: expiryOf(given.get('expiry')),
  };
}

function nameOf(name: unknown): string {
  if (typeof name !== 'string') throw invalid(`name: expected a string, got ${shown(name)}`);
  const fault = clientNameFault(name);
  if (fault !== undefined) throw invalid(`name: ${fault}`);
  return name;
}

function roleOf(role: unknown): ClientRole {
  const found = CLIENT_ROLES.find((known) => known === role);
  if (found === undefined) throw invalid(`role: ${shown(role)} is none of ${CLIENT_ROLES.join(', ')}`);
  return found;
}

function csrOf(csr: unknown): string {
  if (typeof csr === 'string' && csr !== '' && csr.length <= LONGEST_CSR) return csr;
  throw invalid('csr: a certificate request in PEM is expected');
}

function expiryOf(expiry: unknown): number {
  if (expiry === undefined || expiry === null) return DEFAULT_EXPIRY;
  if (typeof expiry === 'number' && expiry >= SHORTEST_EXPIRY_NS && expiry <= LONGEST_EXPIRY_NS) return expiry;
  throw invalid(`expiry: ${shown(expiry)} is not a number of nanoseconds from 1m to 3650 days`);
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, LONGEST_SHOWN);

const invalid = (message: string, what = 'client certificate request'): BaleError =>
  new BaleError(`invalid ${what}: ${message}`, { kind: 'invalid', code: 'BALE_REQUEST_INVALID' });
