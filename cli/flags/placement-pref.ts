import type { Placement } from '../../proto/engine/task-spec.js';
import { usageError } from './usage-error.js';

type Preference = NonNullable<Placement['Preferences']>[number];

/** `spread=node.labels.zone`; spreading is the only strategy there is. */
export function parsePlacementPref(text: string): Preference {
  const at = text.indexOf('=');
  if (at < 0) throw usageError('--placement-pref', text, 'write it as <strategy>=<arg>, e.g. spread=node.labels.zone');
  if (text.slice(0, at).toLowerCase() !== 'spread') {
    throw usageError('--placement-pref', text, 'only spread is supported, e.g. spread=node.labels.zone');
  }
  return { Spread: { SpreadDescriptor: text.slice(at + 1) } };
}
