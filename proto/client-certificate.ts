/** What a client certificate lets its holder do, from least to most. */
export const CLIENT_ROLES = ['viewer', 'operator', 'admin'] as const;

export type ClientRole = (typeof CLIENT_ROLES)[number];
