/**
 * The one program. Each role is loaded only when it is asked for, so that a command of the CLI does
 * not pay for the daemon, nor a mesh process for either.
 */
async function runRole([role, ...rest]: readonly string[]): Promise<void> {
  switch (role) {
    case 'daemon': {
      const { runDaemon } = await import('../daemon/main.js');
      await runDaemon(rest);
      return;
    }
    // Started by the daemon as `bale mesh --config FILE`; not a command for people.
    case 'mesh': {
      const [flag, configFile] = rest;
      if (flag !== '--config' || configFile === undefined) {
        process.stderr.write('bale mesh is started by bale daemon, as: bale mesh --config FILE\n');
        process.exitCode = 2;
        return;
      }
      const { runMesh } = await import('../agent/mesh/main.js');
      await runMesh(configFile);
      return;
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
}

// Nothing is awaited at the top of this file: it is built as CommonJS (scripts/bundle.mjs).
void runRole(process.argv.slice(2));
