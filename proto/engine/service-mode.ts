import type { ServiceMode } from './service-spec.js';

/** The modes of services as docker's `--mode` and the filter of `GET /services` name them. */
export type ModeName = 'replicated' | 'global' | 'replicated-job' | 'global-job';

/** A mode of nothing is one replica. */
export function modeOf(mode: ServiceMode): ModeName {
  if (mode.Global !== undefined) return 'global';
  if (mode.ReplicatedJob !== undefined) return 'replicated-job';
  return mode.GlobalJob === undefined ? 'replicated' : 'global-job';
}

/** Whether a service has one task for each node, and no number of replicas. */
export const isPerNode = (mode: ServiceMode): boolean => mode.Global !== undefined || mode.GlobalJob !== undefined;

/** Whether its tasks are to end. */
export const isJob = (mode: ServiceMode): boolean => mode.ReplicatedJob !== undefined || mode.GlobalJob !== undefined;
