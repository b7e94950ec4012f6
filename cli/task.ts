import type { Command } from 'commander';
import type { Context } from './context.js';
import { registerLogs } from './service-logs.js';

export function registerTask(program: Command, context: Context): void {
  const task = program.command('task').description('Look into tasks');
  registerLogs(task, context);
}
