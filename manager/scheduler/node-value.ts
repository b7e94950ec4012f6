import type { NodeAttribute } from '../../proto/engine/node-attribute.js';
import type { NodeObject } from '../store/objects.js';

/** An attribute of a node as text. What a node does not have reads as the empty string, as SwarmKit has it. */
export function nodeValue(node: NodeObject, attribute: NodeAttribute): string {
  switch (attribute.kind) {
    case 'id':
      return node.id;
    case 'hostname':
      return node.description?.Hostname ?? '';
    case 'ip':
      return node.status.addr;
    case 'role':
      return node.spec.Role;
    case 'os':
      return node.description?.Platform.OS ?? '';
    case 'arch':
      return normalArchitecture(node.description?.Platform.Architecture ?? '');
    case 'node-label':
      return labelOf(node.spec.Labels, attribute.label);
    case 'engine-label':
      return labelOf(node.description?.Engine.Labels, attribute.label);
  }
}

const labelOf = (labels: Readonly<Record<string, string>> | undefined, label: string): string =>
  labels !== undefined && Object.hasOwn(labels, label) ? (labels[label] ?? '') : '';

/** Engines report the machine's name of an architecture, images carry Go's. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  i386: '386',
  i686: '386',
  aarch64: 'arm64',
  armv6l: 'arm',
  armv7l: 'arm',
};

export function normalArchitecture(name: string): string {
  const lower = name.toLowerCase();
  return ARCHITECTURES[lower] ?? lower;
}
