// The .proto files are read at run time, next to the compiled code.
import { cpSync, readdirSync, chmodSync } from 'node:fs';

for (const file of readdirSync('proto').filter((name) => name.endsWith('.proto'))) {
  cpSync(`proto/${file}`, `dist/proto/${file}`);
}
chmodSync('dist/bin/bale.js', 0o755);
