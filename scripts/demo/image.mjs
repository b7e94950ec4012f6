// The voting page as an image: a busybox tree with a shell script for a web server, imported without a registry.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const APPLETS = ['sh', 'httpd', 'cat', 'hostname', 'grep', 'sleep', 'mkdir'];

// busybox httpd runs this file for `/` when there is no index.html.
const PAGE_FILE = 'www/cgi-bin/index.cgi';

// Votes are lines of a file in a volume that all replicas share; appending a short line is atomic.
const PAGE = `#!/bin/sh
case "$QUERY_STRING" in vote=cats) echo cats >>/data/votes ;; vote=dogs) echo dogs >>/data/votes ;; esac
[ -n "$QUERY_STRING" ] && { printf 'Status: 303 See Other\\r\\nLocation: /\\r\\n\\r\\n'; exit 0; }
cats=$(grep -c cats /data/votes 2>/dev/null); dogs=$(grep -c dogs /data/votes 2>/dev/null)
: "\${cats:=0}" "\${dogs:=0}"; all=$((cats + dogs)); share=50; [ $all -gt 0 ] && share=$((cats * 100 / all))
printf 'Content-Type: text/html; charset=utf-8\\r\\nCache-Control: no-store\\r\\n\\r\\n'
cat <<HTML
<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Cats or dogs?</title><link rel="icon" href="data:,">
<style>
body{font:18px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;color:#222}
h1{font-size:2rem;margin:0 0 1rem}a.b{display:inline-block;padding:.6rem 1.6rem;border-radius:.5rem;color:#fff;text-decoration:none;margin-right:.6rem}
.c{background:#0b7285}.d{background:#a61e4d}.bar{display:flex;height:1.4rem;border-radius:.5rem;overflow:hidden;margin:1.4rem 0 .4rem}
small{color:#666}code{background:#f1f3f5;padding:.1rem .4rem;border-radius:.3rem}
</style>
<h1>Cats or dogs?</h1>
<a class="b c" href="/?vote=cats">Cats</a><a class="b d" href="/?vote=dogs">Dogs</a>
<div class="bar"><div class="c" style="width:$share%"></div><div class="d" style="flex:1"></div></div>
<p>Cats $cats &middot; Dogs $dogs</p>
<p>This page came from replica <code>$HOSTNAME_ID</code><br><small>Reload it: each time another replica answers, whichever node you ask.</small></p>
</html>
HTML
`;

const SERVE = `#!/bin/sh
export HOSTNAME_ID="$(hostname)"
mkdir -p /data
trap 'exit 0' TERM
httpd -f -p 80 -h /www &
wait
`;

/** Imports `bale-vote:1` into the Engine behind `socketPath`. */
export async function importVoteImage(socketPath) {
  const tree = mkdtempSync(join(tmpdir(), 'bale-vote-'));
  try {
    for (const folder of ['bin', 'www', 'www/cgi-bin', 'tmp', 'etc', 'data']) mkdirSync(join(tree, folder));
    copyFileSync('/bin/busybox', join(tree, 'bin/busybox'));
    for (const applet of APPLETS) symlinkSync('busybox', join(tree, 'bin', applet));
    writeFileSync(join(tree, PAGE_FILE), PAGE);
    writeFileSync(join(tree, 'serve'), SERVE);
    for (const script of [PAGE_FILE, 'serve']) chmodSync(join(tree, script), 0o755);
    const body = execFileSync('tar', ['-C', tree, '-c', '.'], { maxBuffer: 64 << 20 });
    await post(
      socketPath,
      `/images/create?fromSrc=-&repo=bale-vote&tag=1&changes=${encodeURIComponent('CMD ["/serve"]')}`,
      body,
    );
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

function post(socketPath, path, body) {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath, method: 'POST', path, headers: { 'content-length': body.length } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        response.on('end', () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`image import: ${text}`)),
        );
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}
