import { join } from 'node:path';
import type { NodeParts } from './cluster-node.js';
import { programDigest } from './program-digest.js';

/** Containers that one node starts at a time: more only make the Engine slower. */
const PARALLEL_STARTS = 4;

const PROGRAM = join(import.meta.dirname, '..', 'bin', 'bale.js');
/** This very program in its other role. Not with this process's Node options: they fit an idle daemon, not a proxy. */
const MESH_COMMAND = [process.execPath, PROGRAM, 'mesh'];

/** A node's real parts: the local Docker Engine, and a mesh process of its own. */
export const nodeParts: NodeParts = {
  executor: async ({ nodeId, hostname, engineSocket, genericResources, filesDirectory, logger, clock }) => {
    const { createDockerExecutor } = await import('../agent/executor/docker-executor.js');
    return createDockerExecutor({
      socketPath: engineSocket,
      nodeId,
      hostname,
      genericResources,
      filesDirectory,
      logger,
      clock,
      parallelStarts: PARALLEL_STARTS,
    });
  },
  mesh: async (config, configFile, processes, logger, clock) => {
    const { startMeshLink } = await import('../agent/mesh-link/mesh-process.js');
    return startMeshLink({ config, configFile, command: MESH_COMMAND, processes, logger, clock });
  },
  build: programDigest(PROGRAM),
};
