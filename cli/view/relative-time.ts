/** A span as docker words it: `Less than a second`, `5 seconds`, `About a minute`, `3 hours`, `2 days`. */
export function span(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 14) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 60) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(hours / 24 / 365)} years`;
}

/** `5 seconds ago`, from an RFC 3339 time. Clocks that differ a little do not make it negative. */
export const ago = (time: string, now: number): string =>
  `${span(Math.max(0, now - Date.parse(time))).toLowerCase()} ago`;

/** `in 5 minutes`, from an RFC 3339 time. */
export const until = (time: string, now: number): string =>
  `in ${span(Math.max(0, Date.parse(time) - now)).toLowerCase()}`;
