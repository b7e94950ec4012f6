import { Option, type Command } from 'commander';
import type { Context } from './context.js';
import { collect } from './flags/filter.js';
import { addImageOptions } from './image-options.js';
import { addRefusedOptions } from './refused-options.js';
import { addRolloutOptions } from './rollout-options.js';
import type { CreateServiceFlags } from './update/run-create.js';

export function registerServiceCreate(service: Command, context: Context): void {
  const create = service
    .command('create')
    .description('Create a service')
    .argument('<image>', 'Image of every task')
    .argument('[command...]', "Command and arguments, instead of the image's own")
    .passThroughOptions()
    .optionsGroup('Service:')
    .option('--name <name>', 'Service name (default: a made-up one)')
    .option('--replicas <number>', 'Number of tasks', undefined)
    .option('--mode <mode>', 'replicated, global (one task on each node), replicated-job, global-job', 'replicated')
    .option('--max-concurrent <number>', 'Tasks of a job at once (default: as many as --replicas)')
    .option(
      '-p, --publish <port>',
      'Publish a port: 8080:80, or published=8080,target=80[,protocol=tcp][,mode=host]',
      collect,
    )
    .optionsGroup('Container:')
    .option('-e, --env <variable>', 'Set an environment variable', collect)
    .option('--env-file <file>', 'Read environment variables from a file', collect)
    .option('-l, --label <label>', 'Service label', collect)
    .option('--container-label <label>', 'Container label', collect)
    .option('--mount <mount>', 'Attach a filesystem, e.g. type=volume,source=data,target=/data', collect)
    .option('--secret <secret>', 'Give a secret: NAME, or source=NAME,target=FILE,uid=0,gid=0,mode=0400', collect)
    .option('--config <config>', 'Give a config: NAME, or source=NAME,target=FILE,uid=0,gid=0,mode=0444', collect)
    .option('-w, --workdir <directory>', 'Working directory in the container')
    .option('-u, --user <user>', 'User name or id, with an optional group: NAME[:GROUP]')
    .option('--entrypoint <command>', "Instead of the image's entrypoint")
    .option('--hostname <name>', 'Host name of the containers')
    .optionsGroup('Resources:')
    .option('--limit-cpu <cpus>', 'Limit of CPUs, e.g. 0.5')
    .option('--limit-memory <bytes>', 'Limit of memory, e.g. 512m')
    .option('--limit-pids <number>', 'Limit of processes (0 = none)')
    .option('--reserve-cpu <cpus>', 'CPUs a node must have free')
    .option('--reserve-memory <bytes>', 'Memory a node must have free')
    .option('--memory-swap <bytes>', 'Swap beside the limit of memory (-1 = any amount)')
    .option('--memory-swappiness <number>', "How readily memory is swapped, 0 to 100 (-1 = the Engine's default)")
    .option('--oom-score-adj <number>', 'Which process goes first when memory runs out, -1000 to 1000')
    .option('--generic-resource <kind=value>', 'Generic resources a node must have free, e.g. gpu=2', collect)
    .optionsGroup('Placement:')
    .option('--constraint <constraint>', 'Where tasks may run, e.g. node.labels.disk==ssd', collect)
    .option('--placement-pref <preference>', 'How tasks are spread, e.g. spread=node.labels.zone', collect)
    .option('--replicas-max-per-node <number>', 'The most tasks on one node (0 = any number)')
    .optionsGroup('Restart and stop:')
    .option('--restart-condition <condition>', 'When to restart: none, on-failure, any')
    .option('--restart-delay <duration>', 'Delay between restarts (default: grows from 100ms to 5s)')
    .option('--restart-max-attempts <number>', 'Restarts before giving up')
    .option('--restart-window <duration>', 'Window in which attempts count')
    .option('--stop-signal <signal>', 'Signal that stops the container')
    .option('--stop-grace-period <duration>', 'Time before it is killed (default: 10s)')
    .optionsGroup('Health:')
    .option('--health-cmd <command>', 'Command that checks health')
    .option('--health-interval <duration>', 'Time between checks')
    .option('--health-timeout <duration>', 'Longest time of one check')
    .option('--health-retries <number>', 'Failures in a row that mean unhealthy')
    .option('--health-start-period <duration>', 'Time in which failures do not count')
    .option('--health-start-interval <duration>', 'Time between checks in the start period')
    .option('--no-healthcheck', "Disable the image's health check")
    .optionsGroup('Rights and namespaces:')
    .option('--init', 'Run an init process that reaps and hands on signals')
    .addOption(new Option('--no-init', 'Do not').hideHelp())
    .option('-t, --tty', 'Allocate a terminal')
    .addOption(new Option('--no-tty', 'Do not').hideHelp())
    .option('--read-only', 'Mount the root filesystem read-only')
    .addOption(new Option('--no-read-only', 'Do not').hideHelp())
    .option('--group <group>', 'Supplementary group', collect)
    .option('--isolation <kind>', 'Isolation of the containers; on Linux there is "default" alone')
    .option('--host <host:ip>', 'Extra line of /etc/hosts', collect)
    .option('--dns <address>', 'DNS server', collect)
    .option('--dns-option <option>', 'DNS option', collect)
    .option('--dns-search <domain>', 'DNS search domain', collect)
    .option('--cap-add <capability>', 'Add a Linux capability', collect)
    .option('--cap-drop <capability>', 'Drop a Linux capability', collect)
    .option('--sysctl <key=value>', 'Kernel parameter of the namespace', collect)
    .option('--ulimit <name=soft[:hard]>', 'Resource limit', collect)
    .optionsGroup('Logs:')
    .option('--log-driver <driver>', 'Log driver')
    .option('--log-opt <option>', 'Log driver option', collect);
  addImageOptions(create);
  addRefusedOptions(create, ['--network', '--credential-spec']);
  addRolloutOptions(create)
    .optionsGroup('The command itself:')
    .option('-d, --detach', 'Return at once; do not wait until the service runs')
    .option('-q, --quiet', 'No progress')
    .addHelpText(
      'after',
      '\nExamples:\n  bale service create --name web --replicas 3 -p 8080:80 nginx\n  bale service create --name job --restart-condition none alpine sh -c "echo done"',
    )
    .action(async (image: string, command: string[], flags: CreateServiceFlags) => {
      const { createService } = await import('./update/run-create.js');
      await createService(context, image, command, flags);
    });
}
