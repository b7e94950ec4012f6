import { hostLine } from '../flags/service-spec.js';

/**
 * Extra lines of /etc/hosts. `rm` names a host, or a host at one address (`name:address`); it leaves
 * other names of the same line alone. Order is kept: of two lines for one name the first counts.
 */
export function patchHosts(
  current: readonly string[] | undefined,
  add: readonly string[] = [],
  remove: readonly string[] = [],
): string[] {
  const gone = remove.map((text) => {
    const at = text.indexOf(':');
    return at < 0 ? { name: text, address: '' } : { name: text.slice(0, at), address: text.slice(at + 1) };
  });
  const kept = (current ?? []).flatMap((line) => {
    const [address = '', ...names] = line.trim().split(/\s+/);
    const left = names.filter(
      (name) => !gone.some((host) => host.name === name && (host.address === '' || host.address === address)),
    );
    return left.length === 0 ? [] : [`${address} ${left.join(' ')}`];
  });
  return [...new Set([...kept, ...add.map(hostLine)])];
}
