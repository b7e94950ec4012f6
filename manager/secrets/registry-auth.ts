import { registryOf } from '../../proto/engine/image-name.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';
import type { RegistryAuth, ServiceObject } from '../store/objects.js';

/**
 * A service has at most one set of credentials per registry, the one that was given last: a task of any
 * of its specs pulls with what is newest for the registry of its image, and none is ever sent to another
 * registry than the one it was given for.
 */

/** Which credentials a task with this image pulls with. */
export const registryAuthId = (service: Pick<ServiceObject, 'registryAuth'>, image: string): string | undefined =>
  service.registryAuth?.find(({ registry }) => registry === registryOf(image))?.id;

/** The credentials with `given` in the place of those of its registry, if there are any. */
export const withRegistryAuth = (
  known: readonly RegistryAuth[] | undefined,
  given: RegistryAuth,
): readonly RegistryAuth[] => [...(known ?? []).filter(({ registry }) => registry !== given.registry), given];

/** Those that an image of the service, present or earlier, may need. */
export function neededRegistryAuth(
  known: readonly RegistryAuth[] | undefined,
  specs: readonly ServiceSpec[],
): readonly RegistryAuth[] | undefined {
  if (known === undefined) return undefined;
  const registries = new Set(specs.map(({ TaskTemplate }) => registryOf(TaskTemplate.ContainerSpec.Image)));
  const needed = known.filter(({ registry }) => registries.has(registry));
  if (needed.length === known.length) return known;
  return needed.length === 0 ? undefined : needed;
}

/** The id of a service's new credentials: it leads back to the service. */
export const newRegistryAuthId = (serviceId: string, unique: string): string => `${serviceId}.${unique}`;

export const serviceOfRegistryAuth = (id: string): string => id.split('.')[0] ?? '';
