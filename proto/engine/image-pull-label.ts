import type { ServiceSpec } from './service-spec.js';

/** When nodes ask the registry for the image: only where it is `missing`, or `always`. */
export const IMAGE_PULL = 'bale.image.pull';
export const IMAGE_PULL_CHOICES = ['always', 'missing'] as const;

/** Whether a node asks the registry for each task, also when it has the image. */
export const pullsAlways = (labels: ServiceSpec['Labels']): boolean => labels[IMAGE_PULL] === 'always';
