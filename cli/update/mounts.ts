import { BaleError } from '../../core/errors.js';
import type { Mount } from '../../proto/engine/container-spec.js';
import { parseMount } from '../flags/mount.js';

/** Mounts by target: an added one takes the place of the one that is there; what shall go goes last. Sorted by source. */
export function patchMounts(
  current: readonly Mount[] | undefined,
  add: readonly string[] = [],
  remove: readonly string[] = [],
): Mount[] {
  const added = add.map(parseMount);
  const targets = new Set(added.map(({ Target }) => Target));
  if (targets.size < added.length) {
    throw new BaleError('--mount-add: duplicate mount target', { kind: 'invalid', code: 'BALE_FLAG_INVALID' });
  }
  const kept = (current ?? []).filter(({ Target }) => !targets.has(Target));
  return [...added, ...kept].filter(({ Target = '' }) => !remove.includes(Target)).sort(bySource);
}

function bySource(a: Mount, b: Mount): number {
  const [left, right] = [`${a.Source ?? ''}\0${a.Target ?? ''}`, `${b.Source ?? ''}\0${b.Target ?? ''}`];
  return left < right ? -1 : 1;
}
