import type { ReplicaService } from '../../test/support/load/replica-service.js';
import { hasGrown, type Footprint } from './mesh-footprint.js';
import { REPLICAS, type Steps } from './steps.js';

/** Replaces, adds and removes replicas until the time is over. */
export async function churnFor(seconds: number, service: ReplicaService, steps: Steps): Promise<undefined> {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    await steps.step('update', () => service.update());
    await steps.step('scale to 2', () => service.scale(2));
    await steps.step('scale to 6', () => service.scale(REPLICAS));
  }
  return undefined;
}

/** How many meshes hold more than they did, beyond what is allowed. */
export const grown = (before: readonly Footprint[], after: readonly Footprint[]): number =>
  after.filter((mesh, index) => hasGrown(mesh, before[index])).length;
