/** What is read of an answer to `GET /containers/{id}/stats`. Absent parts are those that a host does not count. */
export interface StatsSample {
  readonly cpu_stats?: CpuStats;
  readonly precpu_stats?: CpuStats;
  readonly memory_stats?: {
    readonly usage?: number;
    readonly limit?: number;
    readonly stats?: Readonly<Record<string, number>>;
  };
  readonly networks?: Readonly<Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>>;
  readonly blkio_stats?: {
    readonly io_service_bytes_recursive?: readonly { readonly op: string; readonly value: number }[] | null;
  };
  readonly pids_stats?: { readonly current?: number };
}

interface CpuStats {
  readonly cpu_usage?: { readonly total_usage?: number; readonly percpu_usage?: readonly number[] | null };
  /** ns of all processors of the host together. */
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
}

export interface StatsFigures {
  readonly cpuPercent: number;
  /** Bytes. */
  readonly memory: number;
  readonly memoryLimit: number;
  readonly memoryPercent: number;
  readonly networkIn: number;
  readonly networkOut: number;
  readonly blockRead: number;
  readonly blockWritten: number;
  readonly processes: number;
}

/** The figures of one sample, by the arithmetic of docker's CLI. */
export function statsFigures(sample: StatsSample): StatsFigures {
  const memory = memoryInUse(sample.memory_stats ?? {});
  const memoryLimit = sample.memory_stats?.limit ?? 0;
  const networks = Object.values(sample.networks ?? {});
  const blocks = sample.blkio_stats?.io_service_bytes_recursive ?? [];
  const blockSum = (letter: string): number =>
    sum(blocks.filter(({ op }) => op.toLowerCase().startsWith(letter)).map(({ value }) => value));
  return {
    cpuPercent: cpuPercent(sample),
    memory,
    memoryLimit,
    memoryPercent: memoryLimit === 0 ? 0 : (memory / memoryLimit) * 100,
    networkIn: sum(networks.map(({ rx_bytes }) => rx_bytes)),
    networkOut: sum(networks.map(({ tx_bytes }) => tx_bytes)),
    blockRead: blockSum('r'),
    blockWritten: blockSum('w'),
    processes: sample.pids_stats?.current ?? 0,
  };
}

/** 100 is one whole processor. */
function cpuPercent({ cpu_stats: now = {}, precpu_stats: before = {} }: StatsSample): number {
  const used = (now.cpu_usage?.total_usage ?? 0) - (before.cpu_usage?.total_usage ?? 0);
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const processors = now.online_cpus ?? 0;
  const counted = processors === 0 ? (now.cpu_usage?.percpu_usage?.length ?? 0) : processors;
  return used > 0 && passed > 0 ? (used / passed) * counted * 100 : 0;
}

/** Without the part of the file cache that can be dropped: its name is another on cgroup v1 and v2. */
function memoryInUse({ usage = 0, stats = {} }: NonNullable<StatsSample['memory_stats']>): number {
  for (const name of ['total_inactive_file', 'inactive_file']) {
    const cache = stats[name];
    if (cache !== undefined && cache < usage) return usage - cache;
  }
  return usage;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** `1.5GiB`: four figures, steps of 1024. */
export const binarySize = (bytes: number): string =>
  size(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'], 4);

/** `1.5GB`: three figures, steps of 1000. */
export const decimalSize = (bytes: number): string => size(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'], 3);

function size(bytes: number, step: number, units: readonly string[], figures: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit += 1;
  }
  return `${Number(value.toPrecision(figures))}${units[unit] ?? ''}`;
}
