/**
 * The errors that a user can meet. Each message says what was tried, what was found and what to do. `exitStatus` is the
 * status that the process ends with: 2 if the user's input is wrong, 3 if something could not be measured.
 */
export abstract class PacegateError extends Error {
  abstract readonly exitStatus: 2 | 3;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The user's input is wrong: arguments, the configuration or a data file. */
export class ConfigurationError extends PacegateError {
  readonly exitStatus = 2;
}

/** An image could not be built or pulled. */
export class BuildError extends PacegateError {
  readonly exitStatus = 3;
}

/** The engine failed, or the workload could not be measured. */
export class MeasurementError extends PacegateError {
  readonly exitStatus = 3;
}

/** The repository or the baseline branch could not be read or written. */
export class StoreError extends PacegateError {
  readonly exitStatus = 3;
}

/** GitHub's environment or event is incomplete, or GitHub refused a request. */
export class GitHubError extends PacegateError {
  readonly exitStatus = 3;
}
