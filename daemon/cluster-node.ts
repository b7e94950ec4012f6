import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Agent, MeshLink, SessionState } from '../agent/agent-types.js';
import type { Executor } from '../agent/executor/executor.js';
import type { MeshConfig } from '../agent/mesh/messages.js';
import { formatHostPort } from '../core/address.js';
import type { Clock } from '../core/clock.js';
import { errorMessage } from '../core/errors.js';
import type { IdentitySource, NodeIdentity } from '../core/identity.js';
import type { Logger } from '../core/logger.js';
import type { GenericResource } from '../proto/engine/task-spec.js';
import type { Manager } from '../manager/manager-types.js';
import type { DataDirectory } from './data-directory.js';
import type { MembershipRecord } from './membership-record.js';
import { countMeshProcesses } from './mesh-processes.js';
import type { DaemonOptions } from './options.js';
import { BALE_VERSION } from './version.js';

export type MeshHandle = MeshLink & {
  /** The identity file was renewed. */
  identityRenewed(): void;
  /** Puts fresh mesh processes in the place of those that run; no connection is cut. */
  replace(): void;
  /** Ends the mesh process: the node leaves. */
  quit(): Promise<void>;
  /** Lets go of the mesh process, which routes on. */
  close(): Promise<void>;
};

/** What a node is made of that tests replace: the Engine's side and the mesh process. */
export interface NodeParts {
  executor(node: {
    readonly nodeId: string;
    readonly hostname: string;
    readonly engineSocket: string;
    readonly genericResources: readonly GenericResource[];
    /** For the secrets and configs of this node's tasks. */
    readonly filesDirectory: string;
    readonly logger: Logger;
    readonly clock: Clock;
  }): Promise<Executor>;
  mesh(config: MeshConfig, configFile: string, processes: number, logger: Logger, clock: Clock): Promise<MeshHandle>;
  /** Which build of the program this is; a mesh of another is replaced. */
  readonly build: string;
}

export interface NodeSurroundings {
  readonly options: DaemonOptions;
  readonly data: DataDirectory;
  readonly parts: NodeParts;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A member at work: its manager, if it is one, its agent, its hold on the mesh and its renewal. */
export interface ClusterNode {
  readonly identity: IdentitySource;
  readonly manager: Manager | undefined;
  readonly session: SessionState;
  /** host:port of the managers known last. */
  readonly managers: readonly string[];
  replaceMesh(): void;
  /** Says goodbye and stops. Containers and mesh go on, and the next daemon adopts them. */
  close(): Promise<void>;
  /**
   * Leaves the cluster: containers and mesh end, what lies on disk is left to the caller. When the
   * agent cannot leave in order it throws and all runs on, unless forced.
   */
  leave(force: boolean, signal: AbortSignal): Promise<void>;
}

/** Starts the manager of a member, before its agent. Throws what the manager throws: port in use, journal unreadable. */
export async function startMemberManager(
  record: Pick<MembershipRecord, 'advertiseHost' | 'advertisePort' | 'listenAddr'>,
  identity: IdentitySource,
  { options, data, clock, logger }: NodeSurroundings,
): Promise<Manager> {
  // Loaded on managers only: store, CA and control loops weigh more than the whole agent.
  const { startManager } = await import('../manager/manager.js');
  return startManager({
    stateDir: data.managerDir,
    identity,
    listenAddr: record.listenAddr ?? formatHostPort(options.listenAddr),
    advertiseAddr: formatHostPort({ host: record.advertiseHost, port: record.advertisePort }),
    allow: options.allow,
    clock,
    logger,
  });
}

/** Starts what every member has: mesh, agent and renewal. */
export async function startClusterNode(
  record: MembershipRecord,
  identity: IdentitySource,
  manager: Manager | undefined,
  surroundings: NodeSurroundings,
): Promise<ClusterNode> {
  const { options, data, parts, clock, logger } = surroundings;
  const [{ startAgent }, { startRenewal }] = await Promise.all([
    import('../agent/agent.js'),
    import('../agent/identity/renewal.js'),
  ]);
  const executor = await parts.executor({
    nodeId: record.nodeId,
    hostname: options.hostname,
    engineSocket: options.engineSocket,
    genericResources: options.genericResources,
    filesDirectory: join(options.runDir, 'task-files', record.nodeId),
    logger,
    clock,
  });
  const processes = countMeshProcesses(options.meshProcesses, availableParallelism());
  const config = meshConfig(identity.current, surroundings);
  const mesh = await parts.mesh(config, data.meshConfigFile, processes, logger, clock);
  let agent: Agent;
  try {
    agent = await startAgent({
      identity,
      managers: record.managers,
      executor,
      mesh,
      meshAddr: formatHostPort({ host: record.advertiseHost, port: options.meshAddr.port }),
      engineSocket: options.engineSocket,
      clock,
      logger,
      baleVersion: BALE_VERSION,
    });
  } catch (error) {
    await mesh.close();
    throw error;
  }
  const renewal = startRenewal({
    identity,
    identityFile: data.identityFile,
    managers: () => agent.managers,
    clock,
    logger,
    random: Math.random,
  });
  const unsubscribe = identity.subscribe(() => {
    mesh.identityRenewed();
  });
  const stopRenewal = async (): Promise<void> => {
    unsubscribe();
    await renewal.close();
  };
  return {
    identity,
    manager,
    get session() {
      return agent.session;
    },
    get managers() {
      return agent.managers;
    },
    replaceMesh: () => {
      mesh.replace();
    },
    close: async () => {
      await stopRenewal();
      await agent.close();
      await manager?.close();
      await mesh.close();
    },
    leave: async (force, signal) => {
      try {
        await agent.leave(signal);
      } catch (error) {
        if (!force) throw error;
        logger.warn({ err: errorMessage(error) }, 'left the cluster without order; containers of it may still run');
      }
      await stopRenewal();
      await agent.close();
      await manager?.close();
      await mesh.quit().catch((error: unknown) => {
        logger.warn({ err: errorMessage(error) }, 'the mesh process did not answer the request to end');
      });
    },
  };
}

function meshConfig({ nodeId, clusterId }: NodeIdentity, { options, data, parts }: NodeSurroundings): MeshConfig {
  return {
    nodeId,
    clusterId,
    identityFile: data.identityFile,
    listenAddr: formatHostPort(options.meshAddr),
    publishAddr: options.publishAddr,
    socket: join(options.runDir, 'mesh.sock'),
    logLevel: options.logLevel,
    version: parts.build === '' ? BALE_VERSION : `${BALE_VERSION}-${parts.build}`,
  };
}
