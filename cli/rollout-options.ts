import type { Command } from 'commander';

/** The flags of RolloutFlags, for the commands that take them. */
export function addRolloutOptions(command: Command): Command {
  return command
    .optionsGroup('Rollouts:')
    .option('--update-parallelism <number>', 'Tasks updated at the same time (0 = all; default: 1)')
    .option('--update-delay <duration>', 'Delay between updates')
    .option('--update-monitor <duration>', 'Time in which a failure of a new task counts (default: 5s)')
    .option('--update-failure-action <action>', 'On failure: pause, continue, rollback (default: pause)')
    .option('--update-max-failure-ratio <ratio>', 'Share of tasks that may fail (default: 0)')
    .option('--update-order <order>', 'start-first or stop-first (default: start-first where that can work)')
    .option('--rollback-parallelism <number>', 'Tasks rolled back at the same time (0 = all; default: 1)')
    .option('--rollback-delay <duration>', 'Delay between rollbacks')
    .option('--rollback-monitor <duration>', 'Time in which a failure of a task counts (default: 5s)')
    .option('--rollback-failure-action <action>', 'On failure: pause, continue (default: pause)')
    .option('--rollback-max-failure-ratio <ratio>', 'Share of tasks that may fail (default: 0)')
    .option('--rollback-order <order>', 'start-first or stop-first (default: start-first where that can work)');
}
