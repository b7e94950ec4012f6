import { BaleError } from '../../core/errors.js';
import type { NodeAvailability, NodeRole, NodeSpec } from '../../proto/engine/node-document.js';
import { parseLabels } from '../flags/labels.js';
import { usageError } from '../flags/usage-error.js';

/** The flags of `node update`, as given. */
export interface NodeFlags {
  readonly availability?: string;
  readonly role?: string;
  readonly labelAdd?: readonly string[];
  readonly labelRm?: readonly string[];
}

const AVAILABILITIES: readonly NodeAvailability[] = ['active', 'pause', 'drain'];
const ROLES: readonly NodeRole[] = ['worker', 'manager'];

/** The spec that `node update` sends. Unlike for services, docker refuses to remove a label that is not there. Pure. */
export function patchNode(spec: NodeSpec, flags: NodeFlags): NodeSpec {
  const labels = { ...spec.Labels, ...parseLabels(flags.labelAdd ?? []) };
  for (const key of flags.labelRm ?? []) {
    if (!Object.hasOwn(labels, key)) {
      throw new BaleError(`key ${key} doesn't exist in node's labels`, { kind: 'invalid', code: 'BALE_FLAG_INVALID' });
    }
    Reflect.deleteProperty(labels, key);
  }
  const { availability, role } = flags;
  return {
    ...spec,
    Labels: labels,
    ...(availability === undefined ? {} : { Availability: oneOf('--availability', availability, AVAILABILITIES) }),
    ...(role === undefined ? {} : { Role: oneOf('--role', role, ROLES) }),
  };
}

function oneOf<T extends string>(flag: string, text: string, values: readonly T[]): T {
  const found = values.find((value) => value === text);
  if (found === undefined) throw usageError(flag, text, `write one of ${values.join(', ')}`);
  return found;
}
