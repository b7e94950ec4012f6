const ALL = 'ALL';
/** Forgets what was set before. */
const RESET = 'RESET';

type List = readonly string[];

export interface Capabilities {
  readonly add: List;
  readonly drop: List;
}

/**
 * Capabilities, with three states: to add one that was dropped takes it off the dropped ones and no
 * more, to drop one that was added likewise; a second time adds or drops it. Of both, adding wins.
 */
export function patchCapabilities(current: Capabilities, change: Capabilities): Capabilities {
  const toAdd = new Set(change.add.map(normalCapability));
  const toDrop = new Set(change.drop.map(normalCapability));
  const add = new Set(toAdd.delete(RESET) ? [] : current.add.map(normalCapability));
  const drop = new Set(toDrop.delete(RESET) ? [] : current.drop.map(normalCapability));
  for (const name of toDrop) if (!toAdd.has(name) && !add.delete(name)) drop.add(name);
  for (const name of toAdd) if (!drop.delete(name)) add.add(name);
  return { add: listed(add), drop: listed(drop) };
}

/** `net_admin` is `CAP_NET_ADMIN`. */
function normalCapability(name: string): string {
  const upper = name.trim().toUpperCase();
  return upper === ALL || upper === RESET || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
}

const listed = (names: ReadonlySet<string>): string[] => (names.has(ALL) ? [ALL] : [...names].sort());
