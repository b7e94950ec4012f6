#!/usr/bin/env -S node --max-semi-space-size=2 --v8-pool-size=1 --
/**
 * The one program. Each role is loaded only when it is asked for, so that a command of the CLI does
 * not pay for the daemon, nor a mesh process for either.
 *
 * The options of Node on the first line keep an idle daemon small: the default young generation and
 * one garbage collector thread per core cost 12 MB that it never needs (bench/README.md). After its
 * `--` Node reads no options: it would take `--env-file` of `bale service create` for its own.
 */
const [role, ...rest] = process.argv.slice(2);

switch (role) {
  case 'daemon': {
    const { runDaemon } = await import('../daemon/main.js');
    await runDaemon(rest);
    break;
  }
  // Started by the daemon as `bale mesh --config FILE`; not a command for people.
  case 'mesh': {
    const [flag, configFile] = rest;
    if (flag !== '--config' || configFile === undefined) {
      process.stderr.write('bale mesh is started by bale daemon, as: bale mesh --config FILE\n');
      process.exitCode = 2;
      break;
    }
    const { runMesh } = await import('../agent/mesh/main.js');
    await runMesh(configFile);
    break;
  }
  default: {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      // `bale service ls | head -1`: the reader has enough, which is no failure of ours.
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
    const { runCli } = await import('../cli/main.js');
    // Set, not exited with: what was printed may still be on its way into a pipe.
    process.exitCode = await runCli(process.argv.slice(2));
  }
}
