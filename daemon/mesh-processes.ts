/** How many mesh processes a node runs: as told, or as many as its cores are worth. */
export type MeshProcesses = number | 'auto';

/** The least number of cores on which a second process is worth its memory: one core is the containers' own. */
const CORES_FOR_TWO = 4;
/** More share too little: each keeps its own tunnels and idle connections. */
const MOST_BY_ITSELF = 4;

/** Half of the cores, at most four processes; one on up to three cores. */
export function countMeshProcesses(wanted: MeshProcesses, cores: number): number {
  if (wanted !== 'auto') return wanted;
  return cores < CORES_FOR_TWO ? 1 : Math.min(MOST_BY_ITSELF, Math.floor(cores / 2));
}
