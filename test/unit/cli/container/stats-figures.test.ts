import { describe, expect, test } from 'vitest';
import { binarySize, decimalSize, statsFigures, type StatsSample } from '../../../../cli/container/stats-figures.js';
import { statsColumns } from '../../../../cli/container/stats-rows.js';
import { renderList } from '../../../../cli/view/list.js';

const sample: StatsSample = {
  cpu_stats: { cpu_usage: { total_usage: 3_000_000_000 }, system_cpu_usage: 40_000_000_000, online_cpus: 4 },
  precpu_stats: { cpu_usage: { total_usage: 2_500_000_000 }, system_cpu_usage: 36_000_000_000, online_cpus: 4 },
  memory_stats: { usage: 200 * 2 ** 20, limit: 2 ** 30, stats: { inactive_file: 50 * 2 ** 20 } },
  networks: { eth0: { rx_bytes: 1000, tx_bytes: 2000 }, eth1: { rx_bytes: 500, tx_bytes: 0 } },
  blkio_stats: {
    io_service_bytes_recursive: [
      { op: 'Read', value: 4096 },
      { op: 'write', value: 8192 },
      { op: 'read', value: 4096 },
      { op: 'Total', value: 16384 },
    ],
  },
  pids_stats: { current: 7 },
};

describe('the arithmetic of docker', () => {
  test('processor time in shares of one processor, memory without droppable cache, sums over interfaces', () => {
    expect(statsFigures(sample)).toEqual({
      cpuPercent: 50,
      memory: 150 * 2 ** 20,
      memoryLimit: 2 ** 30,
      memoryPercent: (150 / 1024) * 100,
      networkIn: 1500,
      networkOut: 2000,
      blockRead: 8192,
      blockWritten: 8192,
      processes: 7,
    });
  });

  test('processors are counted by their list where their number is not told', () => {
    const cpu_stats = {
      cpu_usage: { total_usage: 3_000_000_000, percpu_usage: [1, 2] },
      system_cpu_usage: 40_000_000_000,
    };
    expect(statsFigures({ ...sample, cpu_stats }).cpuPercent).toBe(25);
  });

  test.each<[string, StatsSample]>([
    ['no time passed', { ...sample, precpu_stats: sample.cpu_stats ?? {} }],
    ['the counters went back', { cpu_stats: sample.precpu_stats ?? {}, precpu_stats: sample.cpu_stats ?? {} }],
    ['nothing is told', {}],
  ])('no processor time when %s', (_what, given) => {
    expect(statsFigures(given).cpuPercent).toBe(0);
  });

  test('on cgroup v1 the cache of the whole tree counts, and never more than is used', () => {
    const usage = 1000;
    const memory = (stats: Record<string, number>): number =>
      statsFigures({ memory_stats: { usage, limit: 0, stats } }).memory;
    expect(memory({ total_inactive_file: 300, inactive_file: 100 })).toBe(700);
    expect(memory({ total_inactive_file: 2000, inactive_file: 100 })).toBe(900);
    expect(memory({ inactive_file: 1000 })).toBe(1000);
    expect(memory({})).toBe(1000);
  });

  test('without a limit no share is told', () => {
    expect(statsFigures({ memory_stats: { usage: 5 } }).memoryPercent).toBe(0);
  });

  test.each([
    [0, '0B', '0B'],
    [999, '999B', '999B'],
    [1000, '1000B', '1kB'],
    [1536, '1.5KiB', '1.54kB'],
    [123_456_789, '117.7MiB', '123MB'],
    [2 ** 40, '1TiB', '1.1TB'],
  ])('%d bytes', (bytes, binary, decimal) => {
    expect([binarySize(bytes), decimalSize(bytes)]).toEqual([binary, decimal]);
  });
});

describe('a row', () => {
  const task = {
    ...{ id: 't', service: 'web', name: 'web.1', container: 'web.1.t', containerId: 'c'.repeat(64) },
    ...{ nodeId: 'n', node: 'h2', slot: 1 },
  };
  const rows = [{ task, figures: statsFigures(sample) }, { task: { ...task, name: 'web.2' } }];

  test('has the columns of docker, with task and node in front', () => {
    expect(renderList(statsColumns(false), rows, {}).replace(/ {2,}/g, '|')).toBe(
      'TASK|NODE|CPU %|MEM USAGE / LIMIT|MEM %|NET I/O|BLOCK I/O|PIDS\n' +
        'web.1|h2|50.00%|150MiB / 1GiB|14.65%|1.5kB / 2kB|8.19kB / 8.19kB|7\n' +
        'web.2|h2|--|-- / --|--|-- / --|-- / --|--\n',
    );
  });

  test('has the fields of docker for templates', () => {
    const format = '{{.Container}} {{.ID}} {{.Name}} {{.Service}} {{.CPUPerc}} {{.PIDs}}';
    expect(renderList(statsColumns(false), rows.slice(0, 1), { format })).toBe(
      `${'c'.repeat(12)} ${'c'.repeat(12)} web.1.t web 50.00% 7\n`,
    );
    expect(renderList(statsColumns(true), rows.slice(0, 1), { format: '{{.Task}} {{.ID}}' })).toBe(
      `web.1.t ${'c'.repeat(64)}\n`,
    );
  });
});
