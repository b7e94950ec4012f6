// Bundles the program into dist/bin: fewer, smaller files start faster and stay lighter in memory than
// hundreds of modules. Names are kept, so that a stack trace reads like the source.
import { chmodSync, cpSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { rolldown } from 'rolldown';

// Swapped in at the end: a program that runs meanwhile never sees half of the next one.
const staged = 'dist.new';
const old = 'dist.old';
for (const folder of [staged, old]) rmSync(folder, { recursive: true, force: true });
const bundle = await rolldown({
  input: { bale: 'bin/bale.ts' },
  platform: 'node',
  tsconfig: 'tsconfig.json',
  // Native code, and what is loaded only where it is installed.
  external: [/^node:/, 'level', 'ssh2', 'cpu-features'],
});
await bundle.write({ dir: `${staged}/bin`, format: 'esm', minify: { compress: true, mangle: false, codegen: true } });
await bundle.close();
// The .proto files are read at run time, next to the compiled code.
for (const file of readdirSync('proto').filter((name) => name.endsWith('.proto'))) {
  cpSync(`proto/${file}`, `${staged}/bin/${file}`);
}
chmodSync(`${staged}/bin/bale.js`, 0o755);
if (existsSync('dist')) renameSync('dist', old);
renameSync(staged, 'dist');
rmSync(old, { recursive: true, force: true });
