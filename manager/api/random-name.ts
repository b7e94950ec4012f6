const ADJECTIVES = (
  'able amber brave brisk bold calm candid clever cosmic daring deft eager early fair fleet fond frank gentle glad ' +
  'golden happy hardy humble jolly keen kind lively lucid merry mellow modest nimble noble patient placid polite ' +
  'quick quiet ready rustic serene sharp silent sincere steady sturdy sunny swift tender tidy trusty upbeat vivid ' +
  'warm wise witty zealous'
).split(' ');

const SURNAMES = (
  'archimedes babbage bell bohr boole carson cori curie darwin dijkstra easley einstein elion euler faraday fermat ' +
  'fermi franklin galileo galois gauss goodall hamilton hawking hertz hodgkin hopper johnson kepler kilby knuth ' +
  'lamport leakey lovelace maxwell mcclintock meitner mendel mirzakhani napier newton nobel noether pascal pasteur ' +
  'perlman poincare ramanujan ride ritchie shannon sinoussi tesla thompson torvalds turing volta wing wozniak wu'
).split(' ');

/** A name for a service that was sent without one, `adjective_surname`. `random` is in [0, 1). */
export function randomName(random: () => number, isTaken: (name: string) => boolean): string {
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] ?? 'bale';
  const base = `${pick(ADJECTIVES)}_${pick(SURNAMES)}`;
  let name = base;
  for (let number = 2; isTaken(name); number += 1) name = `${base}${number}`;
  return name;
}
