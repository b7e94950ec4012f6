import { expect, test } from 'vitest';
import { spellSwitches } from '../../../cli/flags/switches.js';

test.each([
  ['service update --detach=false --force=true web', 'service update --force web'],
  ['service update --init=false --tty=true web', 'service update --no-init --tty web'],
  ['service update --env-add A=true web', 'service update --env-add A=true web'],
  [
    'service create --detach=true --name x -p 80 --init=false web',
    'service create --detach --name x -p 80 --no-init web',
  ],
  ['service create -d web run --init=false', 'service create -d web run --init=false'],
  ['service create --env=A=1 web --tty=true', 'service create --env=A=1 web --tty=true'],
  ['-H unix:///x exec -it --tty=true web.1 ls --tty=true', '-H unix:///x exec -it --tty web.1 ls --tty=true'],
  ['exec --tty=false -e A=b -uroot web create --init=false', 'exec -e A=b -uroot web create --init=false'],
  ['attach --sig-proxy=false web.1', 'attach --no-sig-proxy web.1'],
  ['stats --no-stream=true --no-trunc=false web', 'stats --no-stream web'],
  ['swarm join-token --rotate=true worker', 'swarm join-token --rotate worker'],
])('%s', (given, expected) => {
  expect(spellSwitches(given.split(' ')).join(' ')).toBe(expected);
});
