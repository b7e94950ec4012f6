import { readFileSync } from 'node:fs';
import { BaleError, errorMessage } from '../../core/errors.js';
import type { MeshConfig } from './messages.js';

const FIELDS = [
  'nodeId',
  'clusterId',
  'identityFile',
  'listenAddr',
  'publishAddr',
  'socket',
  'logLevel',
] as const satisfies readonly (keyof MeshConfig)[];

/** Reads the document a mesh process is started with. Throws BALE_MESH_CONFIG_INVALID naming the file and the field. */
export function readMeshConfig(file: string): MeshConfig {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw invalid(file, errorMessage(error), error);
  }
  const wrong = FIELDS.find((field) => typeof fieldOf(document, field) !== 'string');
  if (wrong !== undefined) throw invalid(file, `"${wrong}" must be a string`);
  return document as MeshConfig; // Each of its fields was just checked.
}

const fieldOf = (document: unknown, field: string): unknown =>
  typeof document === 'object' && document !== null ? Reflect.get(document, field) : undefined;

const invalid = (file: string, reason: string, cause?: unknown): BaleError =>
  new BaleError(`the mesh cannot be started from ${file}: ${reason}`, {
    kind: 'invalid',
    code: 'BALE_MESH_CONFIG_INVALID',
    cause,
  });
