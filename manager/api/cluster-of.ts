import { BaleError } from '../../core/errors.js';
import type { ClusterObject } from '../store/objects.js';
import type { View } from '../store/store-types.js';

/** The one cluster object; it is made at init before anything else. */
export function clusterOf(view: Pick<View, 'all'>): ClusterObject {
  const [cluster] = view.all('cluster');
  if (cluster === undefined) {
    throw new BaleError('the journal holds no cluster: restore the state directory from a backup', {
      kind: 'internal',
      code: 'BALE_CLUSTER_MISSING',
    });
  }
  return cluster;
}
