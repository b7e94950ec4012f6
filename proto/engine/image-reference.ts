/** The grammar of distribution/reference. No alternative overlaps with what follows it: matching is linear. */
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const DOMAIN = `(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const TAG = '[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}';
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const REFERENCE = new RegExp(`^(${COMPONENT}(?:/${COMPONENT})*)(?::${TAG})?(?:@${DIGEST})?$`);
const DOMAIN_ONLY = new RegExp(`^${DOMAIN}$`);

const LONGEST_NAME = 255;
const LONGEST_REFERENCE = 1024;

/** Whether `text` names an image: `[domain/]path[:tag][@digest]`, as the Engine reads it. */
export function isImageReference(text: string): boolean {
  if (text.length > LONGEST_REFERENCE || /^[a-f0-9]{64}$/.test(text)) return false;
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  // The first part is a registry only when it looks like a host; else it belongs to the path.
  const hasDomain = /[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first;
  if (hasDomain && !DOMAIN_ONLY.test(first)) return false;
  const path = REFERENCE.exec(hasDomain ? text.slice(slash + 1) : text)?.[1];
  return path !== undefined && path.length + (hasDomain ? first.length + 1 : 0) <= LONGEST_NAME;
}
