import type { Column } from '../view/list.js';
import type { FoundTask } from './find-tasks.js';
import { binarySize, decimalSize, type StatsFigures } from './stats-figures.js';

/** A line of `bale stats`: a task, and what was heard of it last. */
export interface StatsRow {
  readonly task: FoundTask;
  /** Absent until the first sample, and after a failure. */
  readonly figures?: StatsFigures;
}

const SHORT_ID = 12;

/** docker's columns and names, with the task and its node in front. */
export const statsColumns = (whole: boolean): readonly Column<StatsRow>[] => {
  const id = ({ task }: StatsRow): string => (whole ? task.containerId : task.containerId.slice(0, SHORT_ID));
  return [
    { field: 'Task', heading: 'TASK', value: ({ task }) => (whole ? task.container : task.name) },
    { field: 'Node', heading: 'NODE', value: ({ task }) => task.node },
    { field: 'CPUPerc', heading: 'CPU %', value: ({ figures }) => percent(figures?.cpuPercent) },
    { field: 'MemUsage', heading: 'MEM USAGE / LIMIT', value: ({ figures }) => pair(figures, memory) },
    { field: 'MemPerc', heading: 'MEM %', value: ({ figures }) => percent(figures?.memoryPercent) },
    { field: 'NetIO', heading: 'NET I/O', value: ({ figures }) => pair(figures, network) },
    { field: 'BlockIO', heading: 'BLOCK I/O', value: ({ figures }) => pair(figures, block) },
    { field: 'PIDs', heading: 'PIDS', value: ({ figures }) => String(figures?.processes ?? NOTHING) },
    { field: 'ID', heading: 'CONTAINER ID', value: id, hidden: true },
    { field: 'Container', heading: 'CONTAINER', value: id, hidden: true },
    { field: 'Name', heading: 'NAME', value: ({ task }) => task.container, hidden: true },
    { field: 'Service', heading: 'SERVICE', value: ({ task }) => task.service, hidden: true },
  ];
};

const NOTHING = '--';

const percent = (value: number | undefined): string => (value === undefined ? NOTHING : `${value.toFixed(2)}%`);

const pair = (figures: StatsFigures | undefined, of: (figures: StatsFigures) => readonly [string, string]): string =>
  (figures === undefined ? [NOTHING, NOTHING] : of(figures)).join(' / ');

const memory = ({ memory: used, memoryLimit }: StatsFigures): readonly [string, string] => [
  binarySize(used),
  binarySize(memoryLimit),
];

const network = ({ networkIn, networkOut }: StatsFigures): readonly [string, string] => [
  decimalSize(networkIn),
  decimalSize(networkOut),
];

const block = ({ blockRead, blockWritten }: StatsFigures): readonly [string, string] => [
  decimalSize(blockRead),
  decimalSize(blockWritten),
];
