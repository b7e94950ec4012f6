/** What a client certificate lets its holder do, from least to most. */
export const CLIENT_ROLES = ['viewer', 'operator', 'admin'] as const;

export type ClientRole = (typeof CLIENT_ROLES)[number];

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
