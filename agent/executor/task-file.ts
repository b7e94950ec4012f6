import { BaleError, errorMessage } from '../../core/errors.js';
import type { Assignment } from '../../proto/assignment.js';
import { fileReferences, type FileReference } from '../../proto/engine/file-references.js';
import { expandTemplate } from '../../proto/engine/template-expansion.js';
import { parseTemplate } from '../../proto/engine/template.js';
import type { Payload } from '../../proto/payload.js';
import type { PayloadLookup } from '../worker/payload-shelf.js';
import { templateContext, withTemplatesExpanded, type NodeFacts } from './task-templates.js';

/** A file that a container is given, before its data is known. */
export interface TaskFileMount {
  /** Its name in the task's directory: by its place in the spec, so that it is found again. */
  readonly name: string;
  /** Absolute, in the container. */
  readonly target: string;
}

export interface TaskFile extends TaskFileMount {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly data: Uint8Array;
}

export const taskFileMounts = ({ spec }: Assignment): readonly TaskFileMount[] =>
  fileReferences(spec.ContainerSpec).map(({ target }, index) => ({ name: String(index), target }));

/**
 * The files of a task with their data, templates expanded. Throws BALE_PAYLOAD_MISSING or
 * BALE_TEMPLATE_FAILED, naming the secret or config; no data is repeated.
 */
export function taskFiles(assignment: Assignment, lookup: PayloadLookup, node: NodeFacts): readonly TaskFile[] {
  const references = fileReferences(assignment.spec.ContainerSpec);
  const payloads = references.map((reference) => {
    const payload = lookup(reference);
    if (payload === undefined) throw missing(reference);
    return { reference, payload };
  });
  return payloads.map(({ reference, payload }, index) => ({
    name: String(index),
    target: reference.target,
    uid: reference.uid,
    gid: reference.gid,
    mode: reference.mode,
    data: payload.templated ? expanded(reference, payload, payloads, assignment, node) : payload.data,
  }));
}

function expanded(
  { kind, name }: FileReference,
  { data }: Payload,
  payloads: readonly { readonly reference: FileReference; readonly payload: Payload }[],
  assignment: Assignment,
  node: NodeFacts,
): Uint8Array {
  const template = parseTemplate(text(data), 'payload');
  if (template.kind !== 'parsed') throw failed(kind, name, template.reason);
  const byTarget = (wanted: 'secret' | 'config', fileName: string): string | undefined => {
    const found = payloads.find(({ reference }) => reference.kind === wanted && reference.fileName === fileName);
    return found === undefined ? undefined : text(found.payload.data);
  };
  const env = withTemplatesExpanded(assignment, node).spec.ContainerSpec.Env ?? [];
  try {
    const whole = expandTemplate(template.parts, templateContext(assignment, node), {
      env: (variable) => env.find((line) => line.startsWith(`${variable}=`))?.slice(variable.length + 1),
      secret: (fileName) => byTarget('secret', fileName),
      config: (fileName) => byTarget('config', fileName),
    });
    return Buffer.from(whole);
  } catch (error) {
    throw failed(kind, name, errorMessage(error));
  }
}

const text = (data: Uint8Array): string => Buffer.from(data).toString('utf8');

const missing = ({ kind, name, id }: FileReference): BaleError =>
  new BaleError(`${kind} ${name} (${id}) is not known to the manager any more; update the service`, {
    kind: 'not-found',
    code: 'BALE_PAYLOAD_MISSING',
  });

const failed = (kind: string, name: string, reason: string): BaleError =>
  new BaleError(`the template of ${kind} ${name} cannot be expanded: ${reason}`, {
    kind: 'invalid',
    code: 'BALE_TEMPLATE_FAILED',
  });
