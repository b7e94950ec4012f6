/** An image reference as `POST /images/create` wants it. */
export interface ImageReference {
  readonly fromImage: string;
  /** A tag or a digest. Never empty: the Engine would pull every tag. */
  readonly tag: string;
}

/** `busybox` → busybox, latest; `host:5000/a/b:1@sha256:…` → host:5000/a/b, sha256:…. A digest wins over a tag. */
export function parseImageReference(image: string): ImageReference {
  const [name = '', digest] = image.split('@');
  const colon = name.lastIndexOf(':');
  const tagged = colon > name.lastIndexOf('/');
  const fromImage = tagged ? name.slice(0, colon) : name;
  return { fromImage, tag: digest ?? (tagged ? name.slice(colon + 1) : 'latest') };
}
