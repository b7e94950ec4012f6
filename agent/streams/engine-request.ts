/** What a request of a manager may reach on this node's Engine. */
export type EngineTarget =
  { readonly kind: 'container'; readonly id: string } | { readonly kind: 'exec'; readonly id: string };

/** Method and path below `/containers/ID` or `/exec/ID`. Everything else of the Engine stays this node's own. */
const ALLOWED: Readonly<Record<EngineTarget['kind'], ReadonlySet<string>>> = {
  container: new Set([
    'GET json',
    'GET logs',
    'GET top',
    'GET stats',
    'HEAD archive',
    'GET archive',
    'PUT archive',
    'POST exec',
    'POST attach',
    'POST resize',
    // A client that is attached waits for the exit code, and hands signals on.
    'POST wait',
    'POST kill',
  ]),
  exec: new Set(['POST start', 'POST resize', 'GET json']),
};

/** A container or exec as it stands in a path: nothing that could lead elsewhere. */
const PATH = /^(?<version>\/v[0-9.]+)?\/(?<noun>containers|exec)\/(?<id>[A-Za-z0-9_.-]+)\/(?<verb>[a-z]+)$/;

export interface EngineRequest {
  readonly target: EngineTarget;
  /** The same URL for another spelling of the id. */
  readonly urlFor: (id: string) => string;
}

/** What this request asks for; undefined when no manager may ask for it. */
export function readEngineRequest(method: string, url: string): EngineRequest | undefined {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark);
  const groups = PATH.exec(path)?.groups;
  if (groups === undefined) return undefined;
  const { version = '', noun = '', id = '', verb = '' } = groups;
  const kind = noun === 'containers' ? 'container' : 'exec';
  // A dot segment is no id, and other servers would resolve it.
  if (!ALLOWED[kind].has(`${method} ${verb}`) || id === '.' || id === '..') return undefined;
  return { target: { kind, id }, urlFor: (other) => `${version}/${noun}/${other}/${verb}${query}` };
}
