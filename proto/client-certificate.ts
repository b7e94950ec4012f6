/** What a client certificate lets its holder do, from least to most. */
export const CLIENT_ROLES = ['viewer', 'operator', 'admin'] as const;

export type ClientRole = (typeof CLIENT_ROLES)[number];

/** How long a certificate may be valid, ns. */
export const SHORTEST_EXPIRY_NS = 60e9;
export const LONGEST_EXPIRY_NS = 3650 * 24 * 60 * 60 * 1e9;

const LONGEST_NAME = 64;

/** What is wrong with the name of a client; undefined when nothing is. */
export function clientNameFault(name: string): string | undefined {
  if (name.length <= LONGEST_NAME && /^[A-Za-z0-9][A-Za-z0-9._@-]*$/.test(name)) return undefined;
  const shown = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
  return (
    `${JSON.stringify(shown)} is no name of a client: 1 to ${LONGEST_NAME} letters, digits, ".", "_", "@" and "-", ` +
    'beginning with a letter or digit'
  );
}

/** The body of `POST /bale/client-certificates/create`. */
export interface ClientCertificateRequest {
  readonly name: string;
  readonly role: ClientRole;
  /** PEM. The key stays with who made it. */
  readonly csr: string;
  /** Nanoseconds; 365 days unless given. */
  readonly expiry?: number;
}

/** The answer to it. */
export interface IssuedClientCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM: the root that signed it and the daemons' server certificates. */
  readonly ca: string;
  /** RFC 3339. */
  readonly expiresAt: string;
}

/** A row of `GET /bale/client-certificates`. Times are RFC 3339. */
export interface ClientCertificateDocument {
  /** SHA-256 of the certificate, in hex. */
  readonly id: string;
  readonly name: string;
  readonly role: ClientRole;
  readonly state: 'valid' | 'expired' | 'revoked';
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly revokedAt?: string;
}
