/** The registry of images that name none, as the Engine calls it. */
export const DOCKER_HUB = 'docker.io';

/** The registry of an image, `host[:port]`: `docker.io` when the image names none. */
export function registryOf(image: string): string {
  const slash = image.indexOf('/');
  const first = slash < 0 ? '' : image.slice(0, slash);
  // The first part is a registry only when it looks like a host; else it belongs to the path.
  const isHost = /[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first;
  return !isHost || first === 'index.docker.io' ? DOCKER_HUB : first;
}

export const digestOf = (image: string): string | undefined => image.split('@')[1];

/** `name:tag` of an image, without a digest; `latest` where it names neither. */
export function taggedName(image: string): string {
  const [name = '', digest] = image.split('@');
  return digest !== undefined || name.lastIndexOf(':') > name.lastIndexOf('/') ? name : `${name}:latest`;
}

/** `name:tag@digest`, as docker writes an image whose tag was looked up. */
export const pinned = (image: string, digest: string): string => `${taggedName(image)}@${digest}`;

/** Whether `image` is what `unpinned` names, with the digest that was found for it. */
export const isPinOf = (image: string, unpinned: string): boolean =>
  digestOf(unpinned) === undefined && digestOf(image) !== undefined && taggedName(image) === taggedName(unpinned);
