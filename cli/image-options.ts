import type { Command } from 'commander';

/** The flags of `service create` and `service update` that concern registries. */
export const addImageOptions = (command: Command): Command =>
  command
    .optionsGroup('Registry:')
    .option('--with-registry-auth', "Send this user's credentials for the registry along, for the nodes to pull with")
    .option('--no-resolve-image', 'Do not ask the registry for the digest and platforms of the image');
