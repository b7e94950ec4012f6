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
  ['swarm join-token --rotate=true worker', 'swarm join-token --rotate worker'],
])('%s', (given, expected) => {
  expect(spellSwitches(given.split(' ')).join(' ')).toBe(expected);
});
