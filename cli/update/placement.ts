import type { Placement } from '../../proto/engine/task-spec.js';
import { parsePlacementPref } from '../flags/placement-pref.js';
import { parseCount } from '../flags/quantity.js';
import { patchSet } from './keyed.js';
import { setField } from './set-field.js';
import type { UpdateFlags } from './update-flags.js';

/** Placement with its flags applied: constraints are a sorted set, preferences keep their order. */
export function patchPlacement(current: Placement | undefined, flags: UpdateFlags): Placement | undefined {
  const { constraintAdd, constraintRm, placementPrefAdd, placementPrefRm, replicasMaxPerNode } = flags;
  const given = [constraintAdd, constraintRm, placementPrefAdd, placementPrefRm, replicasMaxPerNode];
  if (given.every((flag) => flag === undefined)) return current;
  const placement = { ...current };
  if (constraintAdd !== undefined || constraintRm !== undefined) {
    setField(placement, 'Constraints', patchSet(placement.Constraints, constraintAdd, constraintRm));
  }
  const gone = new Set((placementPrefRm ?? []).map((text) => parsePlacementPref(text).Spread.SpreadDescriptor));
  const kept = (placement.Preferences ?? []).filter(({ Spread }) => !gone.has(Spread.SpreadDescriptor));
  setField(placement, 'Preferences', [...kept, ...(placementPrefAdd ?? []).map(parsePlacementPref)]);
  if (replicasMaxPerNode !== undefined) {
    const most = parseCount('--replicas-max-per-node', replicasMaxPerNode);
    setField(placement, 'MaxReplicas', most === 0 ? undefined : most);
  }
  return placement;
}
