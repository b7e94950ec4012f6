import type { Command } from 'commander';
import { isBaleError } from '../core/errors.js';
import type { Context } from './context.js';
import { programVersion } from './program-version.js';
import { renderTemplate } from './view/template.js';

interface ServerVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly Components?: readonly { readonly Name: string; readonly Version: string }[];
}

export function registerVersion(program: Command, context: Context): void {
  program
    .command('version')
    .description('Show the versions of this program, of the daemon and of its Engine')
    .option('-f, --format <format>', 'json or a Go template')
    .addHelpText('after', "\nExample:\n  bale version --format '{{.Server.ApiVersion}}'")
    .action(async ({ format }: { format?: string }) => {
      const client = await context.connect();
      const found = await client.get<ServerVersion>('/version').catch((error: unknown) => error);
      const server = isServerVersion(found) ? found : undefined;
      const version = programVersion();
      const document = { Client: { Version: version }, ...(server === undefined ? {} : { Server: server }) };
      if (format !== undefined)
        context.print(`${format === 'json' ? JSON.stringify(document) : renderTemplate(format, document)}\n`);
      else {
        context.print(`Client:\n Version: ${version}\n`);
        if (server !== undefined) context.print(serverLines(server));
      }
      if (server === undefined) throw isBaleError(found) ? found : new Error(String(found));
    });
}

const isServerVersion = (value: unknown): value is ServerVersion =>
  typeof value === 'object' && value !== null && 'ApiVersion' in value;

function serverLines(server: ServerVersion): string {
  const components = (server.Components ?? [])
    .filter(({ Name }) => Name !== 'Engine')
    .map(({ Name, Version }) => ` ${Name}: ${Version}\n`)
    .join('');
  return `Server:\n Engine: ${server.Version}\n API version: ${server.ApiVersion}\n${components}`;
}
