import type { TLSInfo } from '../../proto/engine/node-document.js';
import type { SwarmDocument } from '../../proto/engine/swarm-document.js';
import type { ClusterObject } from '../store/objects.js';
import { objectMeta } from './object-meta.js';

/** The cluster as `Swarm.Cluster` of `GET /info` shows it. Address pools belong to overlay networks, which bale has none of. */
export const clusterDocument = (cluster: ClusterObject, trust: TLSInfo): Omit<SwarmDocument, 'JoinTokens'> => ({
  ...objectMeta(cluster),
  Spec: cluster.spec,
  TLSInfo: trust,
  RootRotationInProgress: false,
  DefaultAddrPool: null,
  SubnetSize: 24,
  DataPathPort: 4789,
});
