import { digestOf, isPinOf } from '../../proto/engine/image-name.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';
import type { ImageOptions } from './image-options.js';

export interface PinnedSpec {
  readonly spec: ServiceSpec;
  readonly warnings: readonly string[];
}

/**
 * The spec as it is written: an image without a digest gets the one that its tag has now, once, so that
 * every task runs the same bytes. An image that the service has already keeps the digest that was found
 * for it: a client that sends the same spec again changes nothing, whatever became of the tag.
 */
export async function pinImage(
  spec: ServiceSpec,
  present: ServiceSpec | undefined,
  { resolveImage, resolveAgain = false }: ImageOptions,
): Promise<PinnedSpec> {
  const { Image } = spec.TaskTemplate.ContainerSpec;
  if (resolveImage === undefined || digestOf(Image) !== undefined) return { spec, warnings: [] };
  const before = resolveAgain ? undefined : present?.TaskTemplate.ContainerSpec.Image;
  if (before === Image) return { spec, warnings: [] };
  if (before !== undefined && isPinOf(before, Image)) return { spec: withImage(spec, before), warnings: [] };
  const { image, warning } = await resolveImage(Image);
  return {
    spec: image === Image ? spec : withImage(spec, image),
    warnings: warning === undefined ? [] : [warning],
  };
}

const withImage = (spec: ServiceSpec, Image: string): ServiceSpec => ({
  ...spec,
  TaskTemplate: { ...spec.TaskTemplate, ContainerSpec: { ...spec.TaskTemplate.ContainerSpec, Image } },
});
