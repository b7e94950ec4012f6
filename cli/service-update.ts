import { Option, type Command } from 'commander';
import type { Context } from './context.js';
import { collect } from './flags/filter.js';
import { addImageOptions } from './image-options.js';
import { addRefusedOptions } from './refused-options.js';
import { addRolloutOptions } from './rollout-options.js';
import type { UpdateFlags } from './update/update-flags.js';

const EXAMPLES = `
Examples:
  bale service update --image nginx:1.29 web
  bale service update --env-add LOG=debug --env-rm TRACE web
  bale service update --update-parallelism 2 --update-failure-action rollback --image nginx:1.29 web`;

export function registerServiceUpdate(service: Command, context: Context): void {
  const update = service
    .command('update')
    .description('Update a service; its tasks are replaced a few at a time and no request is dropped')
    .argument('<service>', 'Id or name');
  addProcessOptions(update);
  addNameOptions(update);
  addRightOptions(update);
  addPolicyOptions(update);
  addImageOptions(update).option('--no-registry-auth', 'Forget the credentials that the service has for registries');
  addRefusedOptions(update, ['--network-add', '--network-rm', '--credential-spec']);
  addRolloutOptions(update)
    .optionsGroup('The command itself:')
    .option('--force', 'Replace all tasks even if nothing changed')
    .option('--rollback', 'Go back to the previous spec')
    .option('-d, --detach', 'Return at once; do not wait for the update')
    .option('-q, --quiet', 'No progress')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, flags: UpdateFlags & { rollback?: boolean; detach?: boolean; quiet?: boolean }) => {
      const { updateService } = await import('./update/run-update.js');
      await updateService(context, name, flags);
    });
}

function addProcessOptions(command: Command): void {
  command
    .optionsGroup('Container:')
    .option('--image <image>', 'Image of every task')
    .option('--args <command>', "Command and arguments, instead of the image's own")
    .option('--entrypoint <command>', "Instead of the image's entrypoint")
    .option('--env-add <variable>', 'Add or change an environment variable', collect)
    .option('--env-rm <name>', 'Remove an environment variable', collect)
    .option('-w, --workdir <directory>', 'Working directory in the container')
    .option('--init', 'Run an init process that reaps and hands on signals')
    .addOption(new Option('--no-init', 'Do not').hideHelp())
    .option('-t, --tty', 'Allocate a terminal')
    .addOption(new Option('--no-tty', 'Do not').hideHelp())
    .option('--mount-add <mount>', 'Add a filesystem, or replace the one with this target', collect)
    .option('--mount-rm <target>', 'Remove a filesystem by its target', collect)
    .option('--secret-add <secret>', 'Give a secret: NAME, or source=NAME,target=FILE,uid=0,gid=0,mode=0400', collect)
    .option('--secret-rm <name>', 'Take a secret away', collect)
    .option('--config-add <config>', 'Give a config: NAME, or source=NAME,target=FILE,uid=0,gid=0,mode=0444', collect)
    .option('--config-rm <name>', 'Take a config away', collect)
    .option('--read-only', 'Mount the root filesystem read-only')
    .addOption(new Option('--no-read-only', 'Mount it writable').hideHelp())
    .option('--log-driver <driver>', 'Log driver')
    .option('--log-opt <option>', 'Log driver option; with --log-driver, all are replaced', collect);
}

function addNameOptions(command: Command): void {
  command
    .optionsGroup('Names and ports:')
    .option('--label-add <label>', 'Add or change a service label', collect)
    .option('--label-rm <key>', 'Remove a service label', collect)
    .option('--container-label-add <label>', 'Add or change a container label', collect)
    .option('--container-label-rm <key>', 'Remove a container label', collect)
    .option('--publish-add <port>', 'Publish a port: 8080:80, or published=8080,target=80[,protocol=tcp]', collect)
    .option('--publish-rm <target>', 'No longer publish a target port, e.g. 80 or 53/udp', collect)
    .option('--hostname <name>', 'Host name of the containers')
    .option('--host-add <host:ip>', 'Add a line to /etc/hosts', collect)
    .option('--host-rm <host[:ip]>', 'Remove a host from /etc/hosts', collect)
    .option('--dns-add <address>', 'Add a DNS server', collect)
    .option('--dns-rm <address>', 'Remove a DNS server', collect)
    .option('--dns-option-add <option>', 'Add a DNS option', collect)
    .option('--dns-option-rm <option>', 'Remove a DNS option', collect)
    .option('--dns-search-add <domain>', 'Add a DNS search domain', collect)
    .option('--dns-search-rm <domain>', 'Remove a DNS search domain', collect);
}

function addRightOptions(command: Command): void {
  command
    .optionsGroup('Rights and namespaces:')
    .option('-u, --user <user>', 'User name or id, with an optional group: NAME[:GROUP]')
    .option('--isolation <kind>', 'Isolation of the containers; on Linux there is "default" alone')
    .option('--group-add <group>', 'Add a supplementary group', collect)
    .option('--group-rm <group>', 'Remove a supplementary group', collect)
    .option('--cap-add <capability>', 'Add a Linux capability, or no longer drop it', collect)
    .option('--cap-drop <capability>', 'Drop a Linux capability, or no longer add it', collect)
    .option('--sysctl-add <key=value>', 'Add or change a kernel parameter', collect)
    .option('--sysctl-rm <key>', 'Remove a kernel parameter', collect)
    .option('--ulimit-add <name=soft[:hard]>', 'Add or change a resource limit', collect)
    .option('--ulimit-rm <name>', 'Remove a resource limit', collect);
}

function addPolicyOptions(command: Command): void {
  command
    .optionsGroup('Size and resources:')
    .option('--replicas <number>', 'Number of tasks')
    .option('--max-concurrent <number>', 'Tasks of a job at once')
    .option('--limit-cpu <cpus>', 'Limit of CPUs, e.g. 0.5 (0 = none)')
    .option('--limit-memory <bytes>', 'Limit of memory, e.g. 512m (0 = none)')
    .option('--limit-pids <number>', 'Limit of processes (0 = none)')
    .option('--reserve-cpu <cpus>', 'CPUs a node must have free')
    .option('--reserve-memory <bytes>', 'Memory a node must have free')
    .option('--memory-swap <bytes>', 'Swap beside the limit of memory (-1 = any amount)')
    .option('--memory-swappiness <number>', "How readily memory is swapped, 0 to 100 (-1 = the Engine's default)")
    .option('--oom-score-adj <number>', 'Which process goes first when memory runs out, -1000 to 1000')
    .option('--generic-resource-add <kind=value>', 'Reserve generic resources, e.g. gpu=2', collect)
    .option('--generic-resource-rm <kind>', 'No longer reserve generic resources of a kind', collect)
    .optionsGroup('Placement:')
    .option('--constraint-add <constraint>', 'Add a constraint, e.g. node.labels.disk==ssd', collect)
    .option('--constraint-rm <constraint>', 'Remove a constraint', collect)
    .option('--placement-pref-add <preference>', 'Add a spread, e.g. spread=node.labels.zone', collect)
    .option('--placement-pref-rm <preference>', 'Remove a spread', collect)
    .option('--replicas-max-per-node <number>', 'The most tasks on one node (0 = any number)')
    .optionsGroup('Restart and stop:')
    .option('--restart-condition <condition>', 'When to restart: none, on-failure, any')
    .option('--restart-delay <duration>', 'Delay between restarts')
    .option('--restart-max-attempts <number>', 'Restarts before giving up')
    .option('--restart-window <duration>', 'Window in which attempts count')
    .option('--stop-signal <signal>', 'Signal that stops the container')
    .option('--stop-grace-period <duration>', 'Time before it is killed')
    .optionsGroup('Health:')
    .option('--health-cmd <command>', "Command that checks health; empty: the image's own")
    .option('--health-interval <duration>', 'Time between checks')
    .option('--health-timeout <duration>', 'Longest time of one check')
    .option('--health-retries <number>', 'Failures in a row that mean unhealthy')
    .option('--health-start-period <duration>', 'Time in which failures do not count')
    .option('--health-start-interval <duration>', 'Time between checks in the start period')
    .option('--no-healthcheck', 'Disable the health check');
}
