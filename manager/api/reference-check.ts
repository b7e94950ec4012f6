import type { ServiceSpec } from '../../proto/engine/service-spec.js';
import { fileReferences } from '../../proto/engine/file-references.js';
import { specError } from '../../proto/engine/spec-error.js';
import type { View } from '../store/store-types.js';

/** The secrets and configs of a spec must be there, each by its id under its name. Throws BALE_SPEC_INVALID in the Engine's words. */
export function checkReferences(view: Pick<View, 'get'>, { TaskTemplate }: ServiceSpec): void {
  const references = fileReferences(TaskTemplate.ContainerSpec);
  for (const kind of ['secret', 'config'] as const) {
    const missing = references.filter((one) => one.kind === kind && view.get(kind, one.id)?.spec.Name !== one.name);
    if (missing.length === 0) continue;
    throw specError(
      `${kind}${missing.length === 1 ? '' : 's'} not found: ${missing.map(({ name }) => name).join(', ')}`,
    );
  }
}
