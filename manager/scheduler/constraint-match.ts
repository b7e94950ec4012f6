import { holdsAddress, parseIpRange } from '../../proto/engine/ip-range.js';
import type { PlacementConstraint } from '../../proto/engine/placement-constraint.js';
import type { NodeObject } from '../store/objects.js';
import { nodeValue, normalArchitecture } from './node-value.js';

type Matcher = (node: NodeObject) => boolean;

/**
 * A test of nodes for one constraint: compiled once, since it runs for each node. Letters in any
 * case are equal, and a node without the attribute has the empty value, so `!=` takes it.
 */
export function compileConstraint({ attribute, negated, values }: PlacementConstraint): Matcher {
  const tests = values.map((value) => compileValue(value, attribute.kind));
  return (node) => {
    const own = nodeValue(node, attribute);
    return tests.some((test) => test(own)) !== negated;
  };
}

function compileValue(value: string, kind: PlacementConstraint['attribute']['kind']): (own: string) => boolean {
  if (kind === 'ip') {
    const range = parseIpRange(value);
    if (range !== undefined) return (own) => holdsAddress(range, own);
  }
  const wanted = kind === 'arch' ? normalArchitecture(value) : value.toLowerCase();
  if (!/[*?]/.test(wanted)) return (own) => own.toLowerCase() === wanted;
  return (own) => matchesGlob(wanted, own.toLowerCase());
}

/** Linear in both texts but for one step back to the last star: no pattern of a user can stall a pass. */
function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let read = 0;
  /** After the last star, and how much of the text it has swallowed. */
  let resume: { readonly at: number; readonly read: number } | undefined;
  while (read < text.length) {
    const sign = pattern[at];
    if (sign === '*') {
      at += 1;
      resume = { at, read };
    } else if (sign !== undefined && (sign === '?' || sign === text[read])) {
      at += 1;
      read += 1;
    } else if (resume !== undefined) {
      resume = { at: resume.at, read: resume.read + 1 };
      ({ at, read } = resume);
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
