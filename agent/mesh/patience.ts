/**
 * Calls `onOver` after `ms`, unless the returned function is called before. What has come by then is read first: a
 * process that was stopped for a while finds the answer waiting when it goes on, and its timers due.
 */
export function waitAtMost(ms: number, onOver: () => void): () => void {
  let turn: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    turn = setImmediate(onOver);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(turn);
  };
}
