import type { Command } from 'commander';
import type { SwarmInfo } from '../proto/engine/swarm-document.js';
import { formatDuration } from '../proto/engine/duration.js';
import type { Context } from './context.js';
import { renderTemplate } from './view/template.js';

interface Info {
  readonly Name: string;
  readonly ServerVersion: string;
  readonly Containers: number;
  readonly ContainersRunning: number;
  readonly Images: number;
  readonly OperatingSystem: string;
  readonly Architecture: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly DockerRootDir: string;
  readonly Swarm: SwarmInfo;
}

export function registerInfo(program: Command, context: Context): void {
  program
    .command('info')
    .description('Show what the daemon knows of itself, the cluster and the Engine')
    .option('-f, --format <format>', 'json or a Go template')
    .addHelpText('after', "\nExamples:\n  bale info\n  bale info --format '{{.Swarm.LocalNodeState}}'")
    .action(async ({ format }: { format?: string }) => {
      const client = await context.connect();
      const info = await client.get<Info>('/info');
      if (format === undefined) context.print(`${lines(info).join('\n')}\n`);
      else context.print(`${format === 'json' ? JSON.stringify(info) : renderTemplate(format, info)}\n`);
    });
}

function lines(info: Info): readonly string[] {
  return [
    ...swarmLines(info.Swarm),
    'Engine:',
    ` Version: ${info.ServerVersion}`,
    ` Name: ${info.Name}`,
    ` Containers: ${info.Containers} (${info.ContainersRunning} running)`,
    ` Images: ${info.Images}`,
    ` Operating System: ${info.OperatingSystem}`,
    ` Architecture: ${info.Architecture}`,
    ` CPUs: ${info.NCPU}`,
    ` Total Memory: ${(info.MemTotal / 2 ** 30).toFixed(2)}GiB`,
    ` Docker Root Dir: ${info.DockerRootDir}`,
  ];
}

function swarmLines(swarm: SwarmInfo): readonly string[] {
  if (swarm.LocalNodeState === 'inactive') return ['Swarm: inactive'];
  const cluster = swarm.Cluster;
  return [
    `Swarm: ${swarm.LocalNodeState}`,
    ` NodeID: ${swarm.NodeID}`,
    ...(swarm.Error === '' ? [] : [` Error: ${swarm.Error}`]),
    ` Is Manager: ${swarm.ControlAvailable}`,
    ...(cluster === undefined
      ? []
      : [
          ` ClusterID: ${cluster.ID}`,
          ` Managers: ${swarm.Managers ?? 0}`,
          ` Nodes: ${swarm.Nodes ?? 0}`,
          ` Task History Retention Limit: ${cluster.Spec.Orchestration.TaskHistoryRetentionLimit ?? 5}`,
          ` Node Certificate Expiry: ${formatDuration(cluster.Spec.CAConfig.NodeCertExpiry ?? 0)}`,
        ]),
    ` Node Address: ${swarm.NodeAddr}`,
    ' Manager Addresses:',
    ...(swarm.RemoteManagers ?? []).map(({ Addr }) => `  ${Addr}`),
  ];
}
