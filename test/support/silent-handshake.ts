import { Handshake } from '../../manager/drain/handshake.js';

/** The handshake of a manager whose meshes say nothing. */
export const silentHandshake = (): Handshake =>
  new Handshake({ endpoints: { table: { number: 0 } }, acks: () => new Map() });
