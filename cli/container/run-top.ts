import { BaleError } from '../../core/errors.js';
import type { ApiClient } from '../client.js';
import { FailedOperands, type Context } from '../context.js';
import { table } from '../view/table.js';
import { tasksNamed, type FoundTask } from './find-tasks.js';

interface Processes {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[] | null;
}

/** Prints what can be had, and what a node refused to standard error; throws FailedOperands then. */
export async function runTop(context: Context, operand: string, psOptions: readonly string[]): Promise<void> {
  const client = await context.connect();
  const tasks = (await tasksNamed(client, operand).catch(onlyOwn)) ?? [asContainer(operand)];
  if (tasks.length === 0) {
    throw new BaleError(`service ${operand} has no running task; see: bale service ps ${operand}`, {
      kind: 'failed-precondition',
      code: 'BALE_NO_RUNNING_TASK',
    });
  }
  const answers = await Promise.all(
    tasks.map(async (task) => ({ task, answer: await processesOf(client, task, psOptions) })),
  );
  let titles: readonly string[] | undefined;
  const rows: string[][] = [];
  for (const { task, answer } of answers) {
    if (answer instanceof Error) {
      context.warn(`${task.name}: ${answer.message}\n`);
      continue;
    }
    titles ??= answer.Titles;
    rows.push(...(answer.Processes ?? []).map((cells) => [task.name, task.node, ...cells]));
  }
  if (titles !== undefined) context.print(table([['TASK', 'NODE', ...titles], ...rows]));
  if (answers.some(({ answer }) => answer instanceof Error)) throw new FailedOperands();
}

/** A node that does not answer must not hide the others. */
const processesOf = (client: ApiClient, task: FoundTask, psOptions: readonly string[]): Promise<Processes | Error> =>
  client
    .get<Processes>(`/containers/${encodeURIComponent(task.container)}/top`, {
      ps_args: psOptions.length === 0 ? undefined : psOptions.join(' '),
    })
    .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));

/** A node that is no manager knows its own containers, and says itself when it knows not even those. */
function onlyOwn(error: unknown): undefined {
  if (error instanceof BaleError && error.kind === 'unavailable') return undefined;
  throw error;
}

/** What is no task of the cluster may be a container of this node. */
export const asContainer = (operand: string): FoundTask => ({
  ...{ id: '', service: '', name: operand, container: operand, containerId: '', nodeId: '', node: '', slot: 0 },
});
