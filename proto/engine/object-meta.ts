/** The envelope of every object of the Engine API (swarm.md 1.1). */
export interface ObjectMeta {
  ID: string;
  Version: { Index: number };
  /** RFC 3339. */
  CreatedAt: string;
  UpdatedAt: string;
}
