/** Who may change something. */
export type AuditActor =
  /** Whoever may open the daemon's unix socket: root and the group docker. */
  | { readonly kind: 'socket' }
  /** The holder of a client certificate. */
  | { readonly kind: 'certificate'; readonly name: string; readonly role: string }
  /** A machine that had the join token of this role. */
  | { readonly kind: 'join-token'; readonly role: string }
  /** A member, over its own session. */
  | { readonly kind: 'node'; readonly id: string };

/** The request that changes something. */
export interface ChangeRequest {
  readonly who: AuditActor;
  /** Method and path, the path's parameters by name: `POST /services/:id/update`. No query, no body. */
  readonly request: string;
}

export type AuditedObject = 'cluster' | 'node' | 'service' | 'secret' | 'config';

/** One object that one request changed. */
export interface AuditRecord extends ChangeRequest {
  readonly action: 'create' | 'update' | 'remove';
  readonly object: AuditedObject;
  readonly objectId: string;
  readonly name: string;
  /** `Version.Index` before and after; absent where there was none. */
  readonly oldVersion?: number;
  readonly newVersion?: number;
  /** Of an update: paths of what is another now, never a value. */
  readonly fields: readonly string[];
}

/** For people. */
export function actorText(who: AuditActor): string {
  switch (who.kind) {
    case 'socket':
      return 'unix socket';
    case 'certificate':
      return `certificate ${who.name} (${who.role})`;
    case 'join-token':
      return `join token (${who.role})`;
    case 'node':
      return `node ${who.id}`;
  }
}
