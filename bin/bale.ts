#!/usr/bin/env node
/**
 * The one program. Each role is loaded only when it is asked for, so that a command of the CLI does
 * not pay for the daemon, nor a mesh process for either.
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
    const { runCli } = await import('../cli/main.js');
    // Set, not exited with: what was printed may still be on its way into a pipe.
    process.exitCode = await runCli(process.argv.slice(2));
  }
}
