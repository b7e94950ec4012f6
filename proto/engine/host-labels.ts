import type { Gpus, HostDevice, HostOptions } from './host-options.js';
import type { ServiceSpec } from './service-spec.js';
import { specError } from './spec-error.js';

/** One label of a service that sets something of its containers' `HostConfig`. */
interface HostLabel {
  /** For the error of a wrong value. */
  readonly values: string;
  readonly example: string;
  /** Undefined: the value is none of `values`. */
  readonly read: (value: string) => HostOptions | undefined;
}

/** Every such label. Tables in docs/compatibility.md and tests are compared with it. */
export const HOST_LABELS: Readonly<Record<string, HostLabel>> = {
  'bale.devices': {
    values: 'a list of HOST_PATH[:CONTAINER_PATH][:rwm] with absolute paths, each container path once',
    example: '/dev/fuse:/dev/fuse:rwm,/dev/kvm',
    read: (value) => option('devices', devices(value)),
  },
  'bale.gpus': {
    values: '"all", a number from 1, or device=ID,ID',
    example: 'device=0,1',
    read: (value) => option('gpus', gpus(value)),
  },
  'bale.privileged': {
    values: '"true" or "false"',
    example: 'true',
    read: (value) => (value === 'true' ? { privileged: true } : value === 'false' ? {} : undefined),
  },
  'bale.shm-size': {
    values: 'a number of bytes from 4k, with or without the unit k, m, g or t',
    example: '256m',
    read: (value) => option('shmSize', bytes(value)),
  },
  'bale.pid': {
    values: '"host"',
    example: 'host',
    read: (value) => (value === 'host' ? { pid: value } : undefined),
  },
  'bale.ipc': {
    values: '"host", "private", "shareable" or "none"',
    example: 'private',
    read: (value) =>
      option(
        'ipc',
        IPC_MODES.find((mode) => mode === value),
      ),
  },
  'bale.cpuset.cpus': {
    values: 'a list of CPUs and ranges of them',
    example: '0-1,3',
    read: (value) => option('cpusetCpus', cpuset(value)),
  },
  'bale.cpuset.mems': {
    values: 'a list of memory nodes and ranges of them',
    example: '0-1',
    read: (value) => option('cpusetMems', cpuset(value)),
  },
};

const IPC_MODES = ['host', 'private', 'shareable', 'none'] as const;

type Labels = ServiceSpec['Labels'];

/** By the stored labels, which never change and which the tasks of a service share. */
const KNOWN = new WeakMap<Labels, { readonly options: HostOptions | undefined }>();

/** What the labels of a service ask for; undefined when that is nothing. They were checked before they were stored. */
export function hostOptionsOf(labels: Labels): HostOptions | undefined {
  const known = KNOWN.get(labels);
  if (known !== undefined) return known.options;
  const merged: HostOptions = Object.entries(HOST_LABELS).reduce((all, [label, { read }]) => {
    const value = Object.hasOwn(labels, label) ? labels[label] : undefined;
    return { ...all, ...(value === undefined ? {} : read(value)) };
  }, {});
  const options = Object.keys(merged).length === 0 ? undefined : merged;
  KNOWN.set(labels, { options });
  return options;
}

/** Whether `label` is one of these; throws BALE_SPEC_INVALID when its value is wrong. */
export function checkHostLabel(labels: Labels, label: string): boolean {
  const row = Object.hasOwn(HOST_LABELS, label) ? HOST_LABELS[label] : undefined;
  if (row === undefined) return false;
  const value = labels[label] ?? '';
  if (row.read(value) === undefined) {
    throw specError(`label "${label}" must be ${row.values}, for example ${row.example}, got ${JSON.stringify(value)}`);
  }
  const ipc = labels['bale.ipc'];
  if (label === 'bale.shm-size' && (ipc === 'host' || ipc === 'none')) {
    throw specError(`label "${label}": with "bale.ipc" ${ipc} the container has no shared memory of its own`);
  }
  return true;
}

function option<Name extends keyof HostOptions>(name: Name, value: HostOptions[Name]): HostOptions | undefined {
  return value === undefined ? undefined : { [name]: value };
}

function devices(value: string): readonly HostDevice[] | undefined {
  const found = value.split(',').map(device);
  const known = found.filter((one) => one !== undefined);
  const targets = new Set(known.map(({ target }) => target));
  if (known.length !== found.length || targets.size !== known.length) return undefined;
  // The order makes no difference to the container.
  return known.sort((a, b) => (a.target < b.target ? -1 : 1));
}

/** As `docker run --device` reads it: what comes second is a path or the access. */
function device(text: string): HostDevice | undefined {
  const [source = '', second, third, ...rest] = text.split(':');
  const [target = source, access = 'rwm'] =
    third === undefined && second !== undefined && isAccess(second) ? [source, second] : [second, third];
  const isGood = rest.length === 0 && isPath(source) && isPath(target) && isAccess(access);
  return isGood ? { source, target, access } : undefined;
}

const isPath = (text: string): boolean => /^\/[^\s:,\0]+$/.test(text);

const isAccess = (text: string): boolean => /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length;

function gpus(value: string): Gpus | undefined {
  if (value === 'all') return { count: 'all' };
  if (/^[1-9]\d{0,3}$/.test(value)) return { count: Number(value) };
  const ids = /^device=(?<ids>[^\s,=]+(?:,[^\s,=]+)*)$/.exec(value)?.groups?.ids?.split(',');
  return ids === undefined || new Set(ids).size !== ids.length ? undefined : { ids };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };
const SMALLEST_SHM = 4096;

/** Powers of 1024, as docker has it. */
function bytes(value: string): number | undefined {
  const { amount = '', unit = '' } =
    /^(?<amount>\d{1,15}(?:\.\d{1,3})?)(?:(?<unit>[kmgt]?)b?)$/i.exec(value)?.groups ?? {};
  const size = Math.trunc(Number(amount) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
  return size >= SMALLEST_SHM && Number.isSafeInteger(size) ? size : undefined;
}

function cpuset(value: string): string | undefined {
  const isGood = value.split(',').every((part) => {
    const match = /^(?<from>\d{1,4})(?:-(?<to>\d{1,4}))?$/.exec(part)?.groups;
    return match !== undefined && Number(match.from) <= Number(match.to ?? match.from);
  });
  return isGood ? value : undefined;
}
