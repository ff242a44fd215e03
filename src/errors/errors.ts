/**
 * The small family of errors a person can meet. Each message says what was tried, what was found and what
 * to do; `exitStatus` is the process's status when nothing better is known (see formats: 2 is the user's to
 * mend, 3 could not be measured).
 */
export abstract class PacegateError extends Error {
  abstract readonly exitStatus: 2 | 3;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Something the user handed over is wrong: arguments, configuration, a data file. */
export class ConfigurationError extends PacegateError {
  readonly exitStatus = 2;
}

/** An image could not be built or pulled. */
export class BuildError extends PacegateError {
  readonly exitStatus = 3;
}

/** The engine or the workload did not let itself be measured. */
export class MeasurementError extends PacegateError {
  readonly exitStatus = 3;
}

/** The repository or the baseline branch could not be read or written. */
export class StoreError extends PacegateError {
  readonly exitStatus = 3;
}

/** GitHub did not do what it was asked. */
export class GitHubError extends PacegateError {
  readonly exitStatus = 3;
}
