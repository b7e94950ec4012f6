/** Why a dial failed. No byte of the user was sent: another endpoint may be tried, whatever the protocol. */
export type DialFailure =
  /** Nothing listens there, or the task does not run where the table says. */
  | 'refused'
  /** No way to the node. */
  | 'unreachable'
  | 'timeout';

export class DialError extends Error {
  override readonly name = 'DialError';
  readonly failure: DialFailure;

  constructor(failure: DialFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}
