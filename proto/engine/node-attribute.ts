import { specError } from './spec-error.js';

/** What of a node a constraint or a spread preference looks at. */
export type NodeAttribute =
  | { readonly kind: 'id' | 'hostname' | 'ip' | 'role' | 'os' | 'arch' }
  | { readonly kind: 'node-label' | 'engine-label'; readonly label: string };

const NAMES: Readonly<
  Record<string, Extract<NodeAttribute, { kind: 'id' | 'hostname' | 'ip' | 'role' | 'os' | 'arch' }>['kind']>
> = {
  'node.id': 'id',
  'node.hostname': 'hostname',
  'node.ip': 'ip',
  'node.role': 'role',
  'node.platform.os': 'os',
  'node.platform.arch': 'arch',
};

const LABELS = [
  { prefix: 'node.labels.', kind: 'node-label' },
  { prefix: 'engine.labels.', kind: 'engine-label' },
] as const;

/** For messages: every name an attribute may have. */
export const ATTRIBUTE_NAMES = [...Object.keys(NAMES), ...LABELS.map(({ prefix }) => `${prefix}<label>`)].join(', ');

/** The attribute of a name, in any case of letters but for the label's own key; undefined when there is none. */
export function parseNodeAttribute(name: string): NodeAttribute | undefined {
  const lower = name.toLowerCase();
  const kind = Object.hasOwn(NAMES, lower) ? NAMES[lower] : undefined;
  if (kind !== undefined) return { kind };
  const labels = LABELS.find(({ prefix }) => lower.startsWith(prefix) && name.length > prefix.length);
  return labels && { kind: labels.kind, label: name.slice(labels.prefix.length) };
}

/** The attribute that a spread preference names. Throws BALE_SPEC_INVALID (400). */
export function parseSpread(descriptor: string): NodeAttribute {
  const attribute = parseNodeAttribute(descriptor.trim());
  if (attribute !== undefined) return attribute;
  throw specError(`placement preference: cannot spread over '${descriptor}': the keys are ${ATTRIBUTE_NAMES}`);
}
