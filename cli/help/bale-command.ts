import { Command } from 'commander';

/** `bale` and `bale service` alone are no mistakes: they print what there is, as docker's do. */
export class BaleCommand extends Command {
  override createCommand(name?: string): BaleCommand {
    return new BaleCommand(name);
  }

  override help(): never {
    return super.help();
  }
}
