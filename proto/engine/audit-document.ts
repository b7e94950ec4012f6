/** bale's own: one change that was made through the API, as `GET /bale/audit` shows it. */
export interface AuditDocument {
  /** RFC 3339. */
  readonly time: string;
  /** `unix socket`, `certificate NAME (ROLE)`, `join token (ROLE)` or `node ID`. */
  readonly who: string;
  /** Method and path: `POST /services/:id/update`. */
  readonly request: string;
  readonly action: 'create' | 'update' | 'remove';
  readonly object: 'cluster' | 'node' | 'service' | 'secret' | 'config';
  readonly id: string;
  readonly name: string;
  /** `Version.Index` before and after. */
  readonly oldVersion?: number;
  readonly newVersion?: number;
  /** Of an update: paths of what changed, never a value. */
  readonly fields: readonly string[];
}
