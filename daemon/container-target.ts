import { BaleError } from '../core/errors.js';
import type { TaskContainer, TaskContainerMatch } from '../manager/containers/task-containers.js';
import type { ContainerRoute, ContainerVerb } from './container-route.js';
import { parseRemoteExec } from './exec-id.js';

/** Who answers a request for a container. */
export type ContainerTarget =
  /** The local Engine, untouched. */
  | { readonly kind: 'engine' }
  /** The Engine of a node, with another URL. */
  | {
      readonly kind: 'node';
      readonly nodeId: string;
      readonly url: string;
      /** For messages: `web.3.<task id> on node h2`. */
      readonly what: string;
      /** A container of the local Engine may have this name too, and then is meant. */
      readonly askEngineFirst: boolean;
    }
  /** Nobody, unless the local Engine has a container of this name. */
  | { readonly kind: 'refused'; readonly error: BaleError };

const ENGINE: ContainerTarget = { kind: 'engine' };
const CONTAINER_ID_LENGTH = 64;

/** Decides who answers. `find` is asked for containers only; `ownNodeId` is the node whose Engine is the local one. */
export function containerTarget(
  route: ContainerRoute,
  find: (reference: string) => TaskContainerMatch,
  ownNodeId: string,
): ContainerTarget {
  if (route.verb.startsWith('exec-')) return execTarget(route);
  const match = find(route.reference);
  switch (match.kind) {
    case 'none':
      return ENGINE;
    case 'ambiguous':
      return refused(
        `${route.reference} is ambiguous: it fits ${match.names.join(', ')}; give more of the id`,
        'invalid',
        'BALE_AMBIGUOUS',
      );
    case 'container':
      return taskTarget(route, match.container, ownNodeId);
  }
}

/** An id of an exec instance names its node; all others are the local Engine's. */
function execTarget(route: ContainerRoute): ContainerTarget {
  const exec = parseRemoteExec(route.reference);
  if (exec === undefined) return ENGINE;
  const { nodeId, execId } = exec;
  const what = `exec instance ${execId.slice(0, 12)} on node ${nodeId}`;
  return { kind: 'node', nodeId, url: route.urlFor(execId), what, askEngineFirst: false };
}

function taskTarget(route: ContainerRoute, container: TaskContainer, ownNodeId: string): ContainerTarget {
  const { by, node, containerId, name } = container;
  // `docker inspect TASK` asks for a container of this id first, and shall come to show the task.
  if (by === 'task-id' && route.verb === 'inspect') return ENGINE;
  if (node?.id === ownNodeId && (by === 'name' || by === 'container-id')) return ENGINE;
  if (node === undefined || containerId === undefined) {
    return refused(`task ${name} has no container: it is ${standing(container)}`, 'conflict', 'BALE_TASK_NO_CONTAINER');
  }
  if (container.ended && NEEDS_PROCESS[route.verb]) {
    return refused(
      `Container ${name} is not running: its task on node ${node.hostname} is ${standing(container)}`,
      'conflict',
      'BALE_TASK_NOT_RUNNING',
    );
  }
  return {
    kind: 'node',
    nodeId: node.id,
    url: route.urlFor(containerId),
    what: `${name} on node ${node.hostname}`,
    // Ids are random: what is named by a whole one cannot be another container.
    askEngineFirst: route.reference.length !== CONTAINER_ID_LENGTH || by !== 'container-id',
  };
}

/** Whether the verb is of no use once the container has ended. */
const NEEDS_PROCESS: Readonly<Record<ContainerVerb, boolean>> = {
  inspect: false,
  logs: false,
  top: true,
  stats: false,
  archive: false,
  exec: true,
  attach: true,
  resize: true,
  wait: false,
  kill: true,
  'exec-start': false,
  'exec-resize': false,
  'exec-inspect': false,
};

const standing = ({ state, reason }: TaskContainer): string => (reason === '' ? state : `${state}: ${reason}`);

const refused = (message: string, kind: 'conflict' | 'invalid', code: string): ContainerTarget => ({
  kind: 'refused',
  error: new BaleError(message, { kind, code }),
});
