import type { Mount } from '../../proto/engine/container-spec.js';
import { parseBytes } from './quantity.js';
import { usageError } from './usage-error.js';

const FLAG = '--mount';
const TYPES = ['bind', 'volume', 'tmpfs', 'npipe', 'cluster'] as const;

/** Keys that stand for true without a value. */
const SWITCHES: readonly string[] = ['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive', 'bind-create-src'];

/** docker's `--mount`: comma-separated `key=value` pairs; values may be quoted as in CSV. */
export function parseMount(text: string): Mount {
  const mount: Mount = { Type: 'volume' };
  for (const field of csv(text)) {
    const at = field.indexOf('=');
    const key = (at < 0 ? field : field.slice(0, at)).toLowerCase();
    const value = at < 0 ? undefined : field.slice(at + 1);
    applyField(mount, key, value, text);
  }
  if (mount.Target === undefined) throw usageError(FLAG, text, 'target is required');
  const foreign = foreignOptions(mount);
  if (foreign !== undefined)
    throw usageError(FLAG, text, `cannot mix '${foreign}-*' options with mount type '${mount.Type ?? ''}'`);
  return mount;
}

function applyField(mount: Mount, key: string, value: string | undefined, text: string): void {
  if (value === undefined && !SWITCHES.includes(key)) {
    throw usageError(FLAG, text, `invalid field '${key}' must be a key=value pair`);
  }
  const given = value ?? 'true';
  switch (key) {
    case 'type':
      mount.Type = mountType(given, text);
      return;
    case 'source':
    case 'src':
      mount.Source = given;
      return;
    case 'target':
    case 'dst':
    case 'destination':
      mount.Target = given;
      return;
    case 'readonly':
    case 'ro':
      mount.ReadOnly = flag(key, given, text);
      return;
    case 'consistency':
      mount.Consistency = given;
      return;
    case 'bind-propagation':
      mount.BindOptions = { ...mount.BindOptions, Propagation: given };
      return;
    case 'bind-nonrecursive':
      mount.BindOptions = { ...mount.BindOptions, NonRecursive: flag(key, given, text) };
      return;
    case 'bind-create-src':
      mount.BindOptions = { ...mount.BindOptions, CreateMountpoint: flag(key, given, text) };
      return;
    case 'volume-nocopy':
      mount.VolumeOptions = { ...mount.VolumeOptions, NoCopy: flag(key, given, text) };
      return;
    case 'volume-label':
      mount.VolumeOptions = { ...mount.VolumeOptions, Labels: { ...mount.VolumeOptions?.Labels, ...pair(given) } };
      return;
    case 'volume-driver':
      mount.VolumeOptions = {
        ...mount.VolumeOptions,
        DriverConfig: { ...mount.VolumeOptions?.DriverConfig, Name: given },
      };
      return;
    case 'volume-opt': {
      const driver = mount.VolumeOptions?.DriverConfig;
      mount.VolumeOptions = {
        ...mount.VolumeOptions,
        DriverConfig: { ...driver, Options: { ...driver?.Options, ...pair(given) } },
      };
      return;
    }
    case 'tmpfs-size':
      mount.TmpfsOptions = { ...mount.TmpfsOptions, SizeBytes: parseBytes(FLAG, given) };
      return;
    case 'tmpfs-mode':
      if (!/^[0-7]{1,4}$/.test(given)) throw usageError(FLAG, text, `invalid value for tmpfs-mode: ${given}`);
      mount.TmpfsOptions = { ...mount.TmpfsOptions, Mode: Number.parseInt(given, 8) };
      return;
    default:
      throw usageError(FLAG, text, `unexpected key '${key}'`);
  }
}

/** Options of one type given with another: docker refuses them, since they would be ignored. */
function foreignOptions(mount: Mount): 'bind' | 'volume' | 'tmpfs' | undefined {
  if (mount.Type !== 'bind' && mount.BindOptions !== undefined) return 'bind';
  if (mount.Type !== 'volume' && mount.VolumeOptions !== undefined) return 'volume';
  if (mount.Type !== 'tmpfs' && mount.TmpfsOptions !== undefined) return 'tmpfs';
  return undefined;
}

function mountType(value: string, text: string): (typeof TYPES)[number] {
  const found = TYPES.find((type) => type === value.toLowerCase());
  if (found === undefined) throw usageError(FLAG, text, `the type "${value}" is not one of ${TYPES.join(', ')}`);
  return found;
}

function flag(key: string, value: string, text: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw usageError(FLAG, text, `invalid value for ${key}: ${value}`);
}

function pair(text: string): Record<string, string> {
  const at = text.indexOf('=');
  return at < 0 ? { [text]: '' } : { [text.slice(0, at)]: text.slice(at + 1) };
}

/** One line of CSV: fields may be quoted, `""` is a quote. */
const csv = (text: string): readonly string[] =>
  [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  );
