/** Why bale does not print what Swarm prints; each stands in docs/compatibility.md. */
export const REASONS = {
  joinToken: 'A wrong join token is told what is wrong with it.',
  value: 'A value that a field does not have is refused with its path and the values that it may have.',
  code: 'What is wrong with a request is `InvalidArgument`, also where Swarm says `Unknown`.',
  dataVersion: 'Secrets and configs show `dataVersion`, which counts the data given under their name.',
  openOrder: 'The order of an update that was left open is shown empty: bale chooses it for each service.',
  jobConfig: 'Jobs show no update and no rollback configuration, since they have no rollouts.',
  jobRollback: 'The rollback of a job begins a new run at once, without the status of a rollout.',
} as const;
