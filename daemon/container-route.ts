import { parseApiPath } from './api-path.js';

/** What a request wants of one container, or of one exec instance in it. */
export type ContainerVerb =
  | 'inspect'
  | 'logs'
  | 'top'
  | 'stats'
  | 'archive'
  | 'exec'
  | 'attach'
  | 'resize'
  | 'wait'
  | 'kill'
  | 'exec-start'
  | 'exec-resize'
  | 'exec-inspect';

/** A request that another node can answer: for one container, or for one exec instance. */
export interface ContainerRoute {
  readonly verb: ContainerVerb;
  /** Of the container (name or id) or of the exec instance; decoded. */
  readonly reference: string;
  /** The URL of the same request for another container or exec instance. */
  urlFor(id: string): string;
}

const CONTAINER_VERBS: Readonly<Record<string, ContainerVerb>> = {
  'GET json': 'inspect',
  'GET logs': 'logs',
  'GET top': 'top',
  'GET stats': 'stats',
  'GET archive': 'archive',
  'HEAD archive': 'archive',
  'PUT archive': 'archive',
  'POST exec': 'exec',
  'POST attach': 'attach',
  'POST resize': 'resize',
  // docker attach waits for the exit code, and hands signals on.
  'POST wait': 'wait',
  'POST kill': 'kill',
};

const EXEC_VERBS: Readonly<Record<string, ContainerVerb>> = {
  'POST start': 'exec-start',
  'POST resize': 'exec-resize',
  'GET json': 'exec-inspect',
};

/** Reads the route of a request; undefined for what only the local Engine answers. */
export function containerRoute(method: string, url: string): ContainerRoute | undefined {
  const { version, path, query } = parseApiPath(url);
  const parts = path.split('/');
  const [, noun = '', id = '', word = ''] = parts;
  if (parts.length !== 4 || id === '') return undefined;
  const verbs = noun === 'containers' ? CONTAINER_VERBS : noun === 'exec' ? EXEC_VERBS : {};
  const verb = verbs[`${method} ${word}`];
  const reference = decoded(id);
  if (verb === undefined || reference === undefined) return undefined;
  const prefix = version === undefined ? '' : `/v${version}`;
  return { verb, reference, urlFor: (other) => `${prefix}/${noun}/${other}/${word}${query}` };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
