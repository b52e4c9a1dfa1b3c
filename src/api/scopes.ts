/** What a key may do; each scope holds the ones before it. */
export const SCOPES = ['read', 'submit', 'admin'] as const;
/** What a key allows; each includes the ones before. */
export type Scope = (typeof SCOPES)[number];
